"""Polls a submitted run to its end; a lost connection is retried."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.compute import State
from databricks.sdk.service.jobs import Run, RunLifeCycleState, RunTask

from branchline.errors import Unreachable
from branchline.platforms.databricks.client import translated

__all__ = ["PollPolicy", "ended", "poll", "task_of"]

ENDED = (RunLifeCycleState.TERMINATED, RunLifeCycleState.SKIPPED, RunLifeCycleState.INTERNAL_ERROR)
WORDS = {
    RunLifeCycleState.QUEUED: "queued: the workspace runs as many jobs as it may",
    RunLifeCycleState.PENDING: "pending",
    RunLifeCycleState.BLOCKED: "waiting for another task",
    RunLifeCycleState.WAITING_FOR_RETRY: "waiting to try again",
    RunLifeCycleState.RUNNING: "running",
    RunLifeCycleState.TERMINATING: "ending",
}


@dataclass(frozen=True)
class PollPolicy:
    """Seconds between two polls, growing from `first` to `longest`; how long an outage may last."""

    first: float = 0.2
    growth: float = 1.5
    longest: float = 2.0
    outage: float = 1800.0

    def pauses(self) -> Iterator[float]:
        pause = self.first
        while True:
            yield pause
            pause = min(pause * self.growth, self.longest)


def poll(client: WorkspaceClient, job_run: int, say: Callable[[str], None],
         poll_policy: PollPolicy, step: Callable[[], str] = lambda: "") -> Run:
    """The run at its end; every change of what it is doing is said on the way.

    `step` tells where in its work a running one is, nothing if that is not known.

    The SDK's own waiter gives up after 20 minutes and loses runs that fail.

    Raises:
        Unreachable: no answer for longer than `patience.outage`; the run goes on.
    """
    said, pauses = "", poll_policy.pauses()
    while not ended(run := _look(client, job_run, say, poll_policy)):
        doing = _doing(client, run, step)
        if doing != said:
            say(doing)
            said = doing
        time.sleep(next(pauses))
    return run


def ended(run: Run) -> bool:
    return run.state is not None and run.state.life_cycle_state in ENDED


def task_of(run: Run) -> RunTask | None:
    """The newest attempt at the run's one task, None where the run ended before it had one."""
    return max(run.tasks or [], key=lambda task: task.attempt_number or 0, default=None)


def _look(client: WorkspaceClient, job_run: int, say: Callable[[str], None],
          poll_policy: PollPolicy) -> Run:
    lost_at: float | None = None
    while True:
        try:
            with translated(f"job run {job_run}"):
                return client.jobs.get_run(job_run)
        except Unreachable:
            now = time.monotonic()
            if lost_at is None:
                lost_at = now
                say("connection lost; the run goes on, retrying")
            elif now - lost_at > poll_policy.outage:
                raise
            time.sleep(poll_policy.longest)


def _doing(client: WorkspaceClient, run: Run, step: Callable[[], str]) -> str:
    state = run.state.life_cycle_state if run.state else None
    task = task_of(run)
    if state is RunLifeCycleState.RUNNING:
        return f"{WORDS[state]} {step()}".rstrip()
    if state is RunLifeCycleState.PENDING and task and task.cluster_instance:
        return _cluster_is(client, task.cluster_instance.cluster_id or "")
    return WORDS[state] if state else "pending"


def _cluster_is(client: WorkspaceClient, cluster: str) -> str:
    try:
        state = client.clusters.get(cluster).state
    except (DatabricksError, OSError):  # only its owner may look; nothing depends on it
        return "pending"
    return "installing libraries" if state is State.RUNNING else "cluster starting"
