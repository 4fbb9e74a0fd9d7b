"""A submitted run and what runs/get and runs/get-output tell of it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workspace_server.identity import WORKSPACE_ID, User
from workspace_server.submissions import Work

LONGEST_LOG = 5 * 2**20


@dataclass(frozen=True)
class Ending:
    """How a run ended; `code` and `type` are those of termination_details."""

    result: str
    code: str
    type: str
    message: str = ""
    error: str = ""
    error_trace: str = ""


SUCCESS = Ending("SUCCESS", "SUCCESS", "SUCCESS")
CANCELED = Ending("CANCELED", "USER_CANCELED", "CLIENT_ERROR", "Run cancelled by user.")
TIMED_OUT = Ending("TIMEDOUT", "CANCELED", "CLIENT_ERROR", "Run exceeded its timeout.")


class Stopped(Exception):
    """A run has to end now, for a reason from outside."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.message)
        self.ending = ending


@dataclass
class Run:
    """One run; its only task has the next id. Times are in ms since 1970, 0 while unknown."""

    id: int
    work: Work
    user: User
    folder: Path
    page: str
    state: str = "PENDING"
    cluster: str = ""
    start: int = field(default_factory=lambda: now())
    setup_end: int = 0
    execution_end: int = 0
    end: int = 0
    ending: Ending | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def log(self) -> Path:
        return self.folder / "output.log"

    def pause(self, seconds: float) -> None:
        """Wait, and notice whether the run has to end.

        Raises:
            Stopped: it was cancelled, or its time is over.
        """
        if self.cancelled.wait(seconds):
            raise Stopped(CANCELED)
        limit = self.work.timeout_seconds
        if limit and now() - self.start > limit * 1000:
            raise Stopped(TIMED_OUT)

    def ended(self, ending: Ending) -> None:
        self.ending = ending
        self.end = now()
        self.state = "TERMINATED"

    def as_run(self) -> dict[str, Any]:
        message = self.ending.message if self.ending else ""
        if self.ending and self.ending.result == "FAILED":
            message = f"Task {self.work.task_key} failed with message: {message}."
        return {**self._common(), **self._state("INTERNAL_ERROR", message),
                "run_id": self.id, "run_name": self.work.run_name, "run_type": "SUBMIT_RUN",
                "run_page_url": self.page, "job_id": self.id + 2, "number_in_job": self.id,
                "original_attempt_run_id": self.id, "format": "MULTI_TASK", "trigger": "ONE_TIME",
                "setup_duration": 0, "execution_duration": 0, "cleanup_duration": 0,
                "run_duration": max(0, self.end - self.start), "tasks": [self.as_task()]}

    def as_task(self) -> dict[str, Any]:
        message = self.ending.message if self.ending else ""
        work = self.work
        compute = ({"new_cluster": work.cluster} if work.compute == "new"
                   else {"existing_cluster_id": self.cluster} if work.compute == "existing"
                   else {"environment_key": "default"})
        return {**self._common(), **self._state("TERMINATED", message), **compute,
                "run_id": self.id + 1, "task_key": work.task_key, "attempt_number": 0,
                "run_if": "ALL_SUCCESS", "run_page_url": self.page,
                "spark_python_task": {"python_file": work.python_file,
                                      "parameters": work.parameters},
                "setup_duration": max(0, self.setup_end - self.start),
                "execution_duration": max(0, self.execution_end - self.setup_end),
                "cleanup_duration": max(0, self.end - self.execution_end)}

    def output(self) -> dict[str, Any]:
        """What runs/get-output answers for the task: the end of the log, and the error."""
        about: dict[str, Any] = {"metadata": self.as_task(), "logs": "", "logs_truncated": False}
        if self.log.exists():
            with self.log.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - LONGEST_LOG))
                about["logs"] = file.read().decode(errors="replace")
            about["logs_truncated"] = size > LONGEST_LOG
        if self.ending and self.ending.error:
            about |= {"error": self.ending.error, "error_trace": self.ending.error_trace}
        return about

    def _common(self) -> dict[str, Any]:
        instance = {"cluster_instance": {"cluster_id": self.cluster}} if self.cluster else {}
        return {"creator_user_name": self.user.name, "start_time": self.start,
                "end_time": self.end, **instance}

    def _state(self, if_failed: str, message: str) -> dict[str, Any]:
        """`state`, which is deprecated but always sent, and `status`.

        A failed run reads INTERNAL_ERROR while its task reads TERMINATED.
        """
        if self.ending is None or self.state != "TERMINATED":
            return {"state": {"life_cycle_state": self.state, "state_message": "",
                              "user_cancelled_or_timedout": False},
                    "status": {"state": self.state}}
        ending = self.ending
        stopped = ending.result in ("CANCELED", "TIMEDOUT")
        return {"state": {"life_cycle_state": if_failed if ending.result == "FAILED"
                          else "TERMINATED", "result_state": ending.result,
                          "state_message": message, "user_cancelled_or_timedout": stopped},
                "status": {"state": "TERMINATED", "termination_details": {
                    "code": ending.code, "type": ending.type, "message": message}}}


def page_of(host: str, run_id: int) -> str:
    return f"{host}/?o={WORKSPACE_ID}#job/{run_id + 2}/run/{run_id}"


def now() -> int:
    return int(time.time() * 1000)
