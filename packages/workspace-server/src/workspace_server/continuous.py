"""Continuous jobs: each is run again whenever its run has ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from workspace_server.errors import ApiError
from workspace_server.identity import principal
from workspace_server.job_settings import is_continuous, work_now
from workspace_server.run import Run
from workspace_server.runs import Runs

TICK_SECONDS = 0.2
LONGEST_SECONDS = 60.0

Job = dict[str, Any]


@dataclass
class _Kept:
    """A job's run, how many failed before it in a row, and when the next one may start."""

    run: Run | None = None
    failures: int = 0
    next: float = 0.0


class Continuous:
    """Keeps a run of each continuous job going, as long as the job is there and not paused.

    After a failure the next run waits, twice as long each time.
    """

    def __init__(self, jobs: Callable[[], dict[str, Job]], runs: Runs) -> None:
        self._jobs, self._runs = jobs, runs
        self._kept: dict[str, _Kept] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch the jobs, once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        while not self._runs.stopping.wait(TICK_SECONDS):
            wanted = {number: job for number, job in self._jobs().items()
                      if is_continuous(job["settings"])}
            for number in self._kept.keys() - wanted.keys():
                found = self._kept.pop(number).run
                if found:
                    found.cancelled.set()
            for number, job in wanted.items():
                self._keep(self._kept.setdefault(number, _Kept()), job)

    def _keep(self, kept: _Kept, job: Job) -> None:
        if kept.run and kept.run.ending is None:
            return
        if kept.run and kept.run.ending:
            failed = kept.run.ending.result == "FAILED"
            kept.failures = kept.failures + 1 if failed else 0
            kept.next = time.monotonic() + self._pause(kept.failures)
            kept.run = None
        if time.monotonic() >= kept.next:
            try:
                work = work_now(job, {"job_id": job["job_id"]}, self._runs.machine.clusters)
                kept.run = self._runs.submit(replace(work, trigger="CONTINUOUS"),
                                             principal(job["creator_user_name"]))
            except ApiError:  # such as a cluster that is gone
                kept.failures += 1
                kept.next = time.monotonic() + self._pause(kept.failures)

    def _pause(self, failures: int) -> float:
        phase = self._runs.machine.phase_seconds
        return min(phase * 2.0 ** failures, LONGEST_SECONDS)
