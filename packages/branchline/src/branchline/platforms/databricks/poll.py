"""Polls a submitted run to its end; a lost connection is retried."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from branchline.errors import BranchlineError, NotSignedIn, Unreachable
from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.run_info import RunInfo, job_run_info
from branchline.platforms.databricks.workspace import Workspace, call

__all__ = ["PollPolicy", "poll"]

WORDS = {
    "QUEUED": "queued: the workspace is at its limit of running jobs",
    "PENDING": "pending",
    "BLOCKED": "waiting for another task",
    "WAITING_FOR_RETRY": "waiting to try again",
    "RUNNING": "running",
    "TERMINATING": "ending",
}


@dataclass(frozen=True)
class PollPolicy:
    """Seconds between two polls, growing from `first` to `longest`; how long an outage may last.

    During an outage, or while the sign-in cannot be renewed, the pauses grow up to `longest_retry`.
    """

    first: float = 0.2
    growth: float = 1.5
    longest: float = 2.0
    longest_retry: float = 30.0
    outage: float = 1800.0

    def pauses(self) -> Iterator[float]:
        return self._growing(self.first, self.longest)

    def retry_pauses(self) -> Iterator[float]:
        return self._growing(self.longest, max(self.longest, self.longest_retry))

    def _growing(self, pause: float, longest: float) -> Iterator[float]:
        while True:
            yield pause
            pause = min(pause * self.growth, longest)


def poll(client: Workspace, job_run: int, say: Callable[[str], None],
         poll_policy: PollPolicy, step: Callable[[], str] = lambda: "") -> RunInfo:
    """Wait for the run to end; report each change of its state.

    `step` returns the step that a running run is at, empty if unknown.

    The SDK's own waiter gives up after 20 minutes and loses runs that fail.

    Raises:
        Unreachable, NotSignedIn: for longer than `poll_policy.outage`; the run goes on.
    """
    said, pauses = "", poll_policy.pauses()
    while not (run := _look(client, job_run, say, poll_policy)).ended:
        doing = _doing(client, run, step)
        if doing != said:
            say(doing)
            said = doing
        time.sleep(next(pauses))
    return run


def _look(client: Workspace, job_run: int, say: Callable[[str], None],
          poll_policy: PollPolicy) -> RunInfo:
    began, said = time.monotonic(), ""
    for pause in poll_policy.retry_pauses():
        try:
            return job_run_info(client, job_run)
        except (Unreachable, NotSignedIn) as problem:
            if time.monotonic() + pause > began + poll_policy.outage:
                raise type(problem)(f"{problem} The run goes on; --attach follows it.") from None
            if not said:
                said = _lost(problem)
                say(said)
            time.sleep(pause)
    raise AssertionError("the pauses do not end")


def _lost(problem: Exception) -> str:
    if isinstance(problem, NotSignedIn):
        return f"the sign-in cannot be renewed; the run goes on, retrying ({problem})"
    return "connection lost; the run goes on, retrying"


def _doing(client: Workspace, run: RunInfo, step: Callable[[], str]) -> str:
    if run.state == "RUNNING":
        return f"{WORDS[run.state]} {step()}".rstrip()
    if run.state == "PENDING" and run.cluster:
        return _cluster_is(client, run.cluster)
    return WORDS.get(run.state, "pending")


def _cluster_is(client: Workspace, cluster: str) -> str:
    try:
        with translated(f"cluster {cluster}"):
            found = call(client, "GET", "/api/2.1/clusters/get", query={"cluster_id": cluster})
    except BranchlineError:  # only the owner may read it; nothing depends on it
        return "pending"
    return "installing libraries" if found.get("state") == "RUNNING" else "cluster starting"
