"""The entry of every call: records it, and applies the active faults."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, cast

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workspace_server.faults import CODES, Fault, Faults
from workspace_server.identity import user_of


@dataclass(frozen=True)
class Call:
    """A received call; status 0 is a cut connection.

    `seconds` are the server's own, `answered` is the time of its answer in seconds since 1970.
    """

    method: str
    path: str
    status: int
    user: str
    seconds: float
    answered: float


class FrontDoor:
    """Records every call and applies the faults to it, except to the emulator's own addresses.

    It is plain ASGI, because only that can cut a connection.
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
    # ASGI has no message for it: `send` is a method of uvicorn's object with the connection.
    cast(Any, send).__self__.transport.abort()
