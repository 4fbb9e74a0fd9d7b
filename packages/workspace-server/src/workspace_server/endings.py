"""How runs and their tasks end, and how `state` and `status` show it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ending:
    """How a run ended; `code` and `type` are those of termination_details."""

    result: str
    code: str
    type: str
    message: str = ""
    error: str = ""
    error_trace: str = ""

    @property
    def good(self) -> bool:
        return self.result in ("SUCCESS", "SUCCESS_WITH_FAILURES", "EXCLUDED")


SUCCESS = Ending("SUCCESS", "SUCCESS", "SUCCESS")
WITH_FAILURES = Ending("SUCCESS_WITH_FAILURES", "SUCCESS_WITH_FAILURES", "SUCCESS")
CANCELED = Ending("CANCELED", "USER_CANCELED", "CLIENT_ERROR", "Run cancelled by user.")
TIMED_OUT = Ending("TIMEDOUT", "CANCELED", "CLIENT_ERROR", "Run exceeded its timeout.")
UPSTREAM_FAILED = Ending("UPSTREAM_FAILED", "SKIPPED", "CLIENT_ERROR",
                         "An upstream task failed.")
UPSTREAM_CANCELED = Ending("UPSTREAM_CANCELED", "SKIPPED", "CLIENT_ERROR",
                           "An upstream task was canceled.")
EXCLUDED = Ending("EXCLUDED", "SKIPPED", "SUCCESS", "The condition of run_if was not met.")


def one_too_many(most: int) -> Ending:
    return Ending("MAXIMUM_CONCURRENT_RUNS_REACHED", "MAX_CONCURRENT_RUNS_EXCEEDED",
                  "CLIENT_ERROR", f"Skipping this run because the limit of {most} maximum "
                                  "concurrent runs has been reached.")


class Stopped(Exception):
    """A run has to end now, for an outside reason."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.message)
        self.ending = ending


def without_running(run_if: str, upstream: Iterable[Ending]) -> Ending | None:
    """How a task ends if its upstream tasks keep it from running; None if it runs."""
    results = [ending.result for ending in upstream]
    good = [ending.good for ending in upstream]
    if run_if == "ALL_SUCCESS":
        if all(good):
            return None
        stopped = any(result in ("CANCELED", "UPSTREAM_CANCELED") for result in results)
        return UPSTREAM_CANCELED if stopped else UPSTREAM_FAILED
    bad = [not each for each in good]
    runs = {"ALL_DONE": True, "NONE_FAILED": not any(bad), "ALL_FAILED": all(bad),
            "AT_LEAST_ONE_SUCCESS": "SUCCESS" in results, "AT_LEAST_ONE_FAILED": any(bad)}
    return None if runs[run_if] or not results else EXCLUDED


def ending_of_run(tasks: Mapping[str, Ending], leaves: Iterable[str]) -> Ending:
    """A run's own ending, decided by its leaves: the tasks that no other depends on."""
    bad = [ending for ending in tasks.values() if not ending.good]
    if not bad:
        return SUCCESS
    if all(tasks[leaf].good for leaf in leaves):
        return WITH_FAILURES
    return bad[0]


def told(state: str, ending: Ending | None, message: str, if_failed: str) -> dict[str, Any]:
    """`state`, which is deprecated but always sent, and `status`.

    `if_failed` is the life cycle of a failure: INTERNAL_ERROR for a run, TERMINATED for its task.
    """
    if ending is None or state != "TERMINATED":
        waits = {"WAITING_FOR_RETRY": "WAITING"}.get(state, state)
        return {"state": {"life_cycle_state": state, "state_message": "",
                          "user_cancelled_or_timedout": False},
                "status": {"state": waits, **_queue(state)}}
    life = {"FAILED": if_failed, "MAXIMUM_CONCURRENT_RUNS_REACHED": "SKIPPED"}
    return {"state": {"life_cycle_state": life.get(ending.result, "TERMINATED"),
                      "result_state": ending.result, "state_message": message,
                      "user_cancelled_or_timedout": ending.result in ("CANCELED", "TIMEDOUT")},
            "status": {"state": "TERMINATED", "termination_details": {
                "code": ending.code, "type": ending.type, "message": message}}}


def _queue(state: str) -> dict[str, Any]:
    if state != "QUEUED":
        return {}
    return {"queue_details": {"code": "MAX_CONCURRENT_RUNS_REACHED", "message":
                              "Queued due to reaching maximum concurrent runs of the job."}}


def now() -> int:
    """The time in ms since 1970."""
    return int(time.time() * 1000)
