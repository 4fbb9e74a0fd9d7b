"""The server's own API for tests: faults, and the list of all calls."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from workspace_server.faults import Faults
from workspace_server.front_door import Call
from workspace_server.identity import Body


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
