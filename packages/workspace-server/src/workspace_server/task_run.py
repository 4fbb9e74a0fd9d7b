"""One attempt of a task, as shown by runs/get and runs/get-output."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workspace_server.endings import CANCELED, TIMED_OUT, Ending, Stopped, now, told
from workspace_server.identity import User
from workspace_server.tasks import Task

LONGEST_LOG = 5 * 2**20


@dataclass
class TaskRun:
    """An attempt; times are in ms since 1970, 0 while unknown.

    `user` is the user of its process, `cancelled` and `deadline` are those of its run. `parameters`
    are resolved when it begins.
    """

    id: int
    work: Task
    user: User
    folder: Path
    page: str
    cancelled: threading.Event
    deadline: int
    attempt: int = 0
    state: str = "PENDING"
    cluster: str = ""
    parameters: tuple[str, ...] = ()
    start: int = field(default_factory=lambda: now())
    setup_end: int = 0
    execution_end: int = 0
    end: int = 0
    ending: Ending | None = None

    @property
    def log(self) -> Path:
        return self.folder / "output.log"

    @property
    def serverless(self) -> bool:
        return self.work.compute == "serverless"

    def begin(self, parameters: tuple[str, ...]) -> None:
        self.parameters = parameters
        self.start = now()
        self.state = "PENDING"

    def pause(self, seconds: float) -> None:
        """Wait, unless the run has to end.

        Raises:
            Stopped: it was cancelled, or its time is over.
        """
        if self.cancelled.wait(seconds):
            raise Stopped(CANCELED)
        limit = self.work.timeout_seconds
        if (limit and now() - self.start > limit * 1000) or self.run_is_over():
            raise Stopped(TIMED_OUT)

    def run_is_over(self) -> bool:
        return bool(self.deadline) and now() > self.deadline

    def ended(self, ending: Ending) -> None:
        self.ending = ending
        self.end = now()
        self.execution_end = self.execution_end or self.end
        self.setup_end = self.setup_end or self.execution_end
        self.state = "TERMINATED"

    def as_task(self) -> dict[str, Any]:
        """The attempt as an entry of `tasks`."""
        work = self.work
        instance = ({"cluster_instance": {"cluster_id": self.cluster}}
                    if self.cluster and not self.serverless else {})
        new = {"new_cluster": work.cluster} if work.compute == "new" else {}
        return {**work.given, **new, **instance, **self.told(),
                "run_id": self.id, "attempt_number": self.attempt, "run_if": work.run_if,
                "run_page_url": self.page, "start_time": self.start, "end_time": self.end,
                "spark_python_task": {"python_file": work.python_file,
                                      "parameters": list(work.parameters)},
                "setup_duration": max(0, self.setup_end - self.start),
                "execution_duration": max(0, self.execution_end - self.setup_end),
                "cleanup_duration": max(0, self.end - self.execution_end)}

    def told(self) -> dict[str, Any]:
        return told(self.state, self.ending, self.ending.message if self.ending else "",
                    "TERMINATED")

    def output(self) -> dict[str, Any]:
        """The answer of runs/get-output: the end of the log, and the error."""
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
