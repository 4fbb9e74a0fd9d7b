"""Switches that make the next calls or the next runs go wrong, and the record of all calls."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

from fastapi import APIRouter
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workspace_server.errors import invalid
from workspace_server.identity import Body, user_of

CALL_FAULTS = ("429", "503", "500", "cut_before", "cut_after", "slow")
RUN_FAULTS = ("never_starts", "cluster_failure", "node_lost", "library_failure")
SIGN_IN_FAULTS = ("short_token", "assertion_expired")
KINDS = (*CALL_FAULTS, *RUN_FAULTS, *SIGN_IN_FAULTS)
CODES = {"429": "REQUEST_LIMIT_EXCEEDED", "503": "TEMPORARILY_UNAVAILABLE",
         "500": "INTERNAL_ERROR"}


@dataclass
class Fault:
    """One switch: what goes wrong, for which calls, and how many times more.

    `after` spares that many calls (or runs) first; `retry_after` and `seconds` are in seconds.
    """

    kind: str
    path: str = ""
    method: str = ""
    times: int = 1
    after: int = 0
    retry_after: int = 1
    seconds: float = 1.0


@dataclass(frozen=True)
class Call:
    """A call that came in; status 0 is a connection that was cut.

    `seconds` are the server's own, `answered` is the time of its answer in seconds since 1970.
    """

    method: str
    path: str
    status: int
    user: str
    seconds: float
    answered: float


class Faults:
    """The switches that are on."""

    def __init__(self) -> None:
        self._on: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, wanted: dict[str, Any]) -> None:
        """Switch one on.

        Raises:
            ApiError: an unknown kind or field.
        """
        unknown = wanted.keys() - {field.name for field in fields(Fault)}
        if unknown or wanted.get("kind") not in KINDS:
            raise invalid(f"No such fault: {wanted}; kinds are {KINDS}.")
        with self._lock:
            self._on.append(Fault(**wanted))

    def clear(self) -> None:
        with self._lock:
            self._on.clear()

    def of_call(self, method: str, path: str) -> Fault | None:
        """The fault that this call shall meet; it is used up by that."""
        return self._take(lambda fault: fault.kind in CALL_FAULTS and path.startswith(fault.path)
                          and fault.method in ("", method))

    def of_run(self, kind: str) -> Fault | None:
        return self._take(lambda fault: fault.kind == kind)

    def of_sign_in(self, kind: str) -> Fault | None:
        """The fault that the next exchange of a token shall meet."""
        return self._take(lambda fault: fault.kind == kind)

    def _take(self, fits: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in filter(fits, self._on):
                if fault.after:
                    fault.after -= 1
                elif fault.times:
                    fault.times -= 1
                    return fault
        return None


class FrontDoor:
    """Notes every call and lets the faults happen to it; the emulator's own addresses are spared.

    It is plain ASGI, since only that can cut a connection.
    """

    def __init__(self, app: ASGIApp, faults: Faults, calls: list[Call]) -> None:
        self.app, self.faults, self.calls = app, faults, calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_emulator"):
            return await self.app(scope, receive, send)
        began = time.perf_counter()
        fault = self.faults.of_call(scope["method"], scope["path"])
        status = await self._answer(fault, scope, receive, send)
        user = user_of(Headers(scope=scope))
        self.calls.append(Call(scope["method"], scope["path"], status, user.name if user else "",
                               time.perf_counter() - began, time.time()))

    async def _answer(self, fault: Fault | None, scope: Scope, receive: Receive,
                      send: Send) -> int:
        kind = fault.kind if fault else ""
        if fault and kind in CODES:
            answer = _refusal(fault)
            await answer(scope, receive, send)
            return answer.status_code
        if fault and kind == "slow":
            await asyncio.sleep(fault.seconds)
        if kind == "cut_before":
            _cut(send)
            return 0
        sent: list[Message] = []

        async def noted(message: Message) -> None:
            sent.append(message)
            if kind != "cut_after":
                await send(message)

        await self.app(scope, receive, noted)
        if kind == "cut_after":
            _cut(send)
            return 0
        return int(sent[0]["status"])


def _refusal(fault: Fault) -> Response:
    wait = {"Retry-After": str(fault.retry_after)} if fault.kind in ("429", "503") else {}
    body = {"error_code": CODES[fault.kind], "message": "This is a fault that a test asked for."}
    return JSONResponse(body, int(fault.kind), wait)


def _cut(send: Send) -> None:
    # ASGI has no word for it: `send` is a method of uvicorn's, which holds the connection.
    cast(Any, send).__self__.transport.abort()


def routes(faults: Faults, calls: list[Call]) -> APIRouter:
    api = APIRouter(prefix="/_emulator")

    @api.post("/faults")
    def add(body: Body) -> dict[str, str]:
        faults.add(body)
        return {}

    @api.delete("/faults")
    def clear() -> dict[str, str]:
        faults.clear()
        return {}

    @api.get("/calls")
    def listed(since: int = 0) -> dict[str, Any]:
        return {"calls": [asdict(call) for call in itertools.islice(calls, since, None)]}

    return api
