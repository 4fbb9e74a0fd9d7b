"""Switches that make the next calls, runs or sign-ins go wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from workspace_server.errors import invalid

CALL_FAULTS = ("429", "503", "500", "cut_before", "cut_after", "slow")
RUN_FAULTS = ("never_starts", "cluster_failure", "node_lost", "library_failure")
SIGN_IN_FAULTS = ("short_token", "assertion_expired")
KINDS = (*CALL_FAULTS, *RUN_FAULTS, *SIGN_IN_FAULTS)
CODES = {"429": "REQUEST_LIMIT_EXCEEDED", "503": "TEMPORARILY_UNAVAILABLE",
         "500": "INTERNAL_ERROR"}


@dataclass
class Fault:
    """One switch: what goes wrong, for which calls, and how many more times.

    The first `after` calls (or runs) are spared; `retry_after` and `seconds` are in seconds.
    """

    kind: str
    path: str = ""
    method: str = ""
    times: int = 1
    after: int = 0
    retry_after: int = 1
    seconds: float = 1.0


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
        """The fault for this call; that uses it up."""
        return self._take(lambda fault: fault.kind in CALL_FAULTS and path.startswith(fault.path)
                          and fault.method in ("", method))

    def of_run(self, kind: str) -> Fault | None:
        return self._take(lambda fault: fault.kind == kind)

    def of_sign_in(self, kind: str) -> Fault | None:
        """The fault for the next exchange of a token."""
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
