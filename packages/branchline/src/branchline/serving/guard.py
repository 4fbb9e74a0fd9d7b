"""Around every route: the API key, and the count and time of requests."""

from __future__ import annotations

import hmac
import time

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from branchline.serving.metrics import Metrics

__all__ = ["Guard"]

OPEN = "/v2/health/"  # probes have no key


class Guard:
    """ASGI middleware; without `api_key` everyone may call."""

    def __init__(self, app: ASGIApp, api_key: str | None, metrics: Metrics) -> None:
        self._app = app
        self._key = None if api_key is None else api_key.encode()
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        scope["began"] = began

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if self._may(scope):
                await self._app(scope, receive, counted)
            else:
                await _refusal()(scope, receive, counted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - began)

    def _may(self, scope: Scope) -> bool:
        if self._key is None or scope["path"].startswith(OPEN):
            return True
        headers = Headers(scope=scope)
        kind, _, token = headers.get("authorization", "").partition(" ")
        given = token.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "")
        return hmac.compare_digest(given.encode("latin-1"), self._key)


def _refusal() -> JSONResponse:
    return JSONResponse({"error": "API key: is missing or wrong; expected the header "
                                  "Authorization: Bearer KEY, or X-API-Key: KEY."}, 401,
                        {"www-authenticate": "Bearer"})
