"""Submits a run exactly once, however often the request has to be sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from branchline.errors import Unreachable
from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.run_info import cancel_job_run
from branchline.platforms.databricks.submission import Submission, submit_body
from branchline.platforms.databricks.workspace import Workspace, call
from branchline.signals import deferred

__all__ = ["RetryPolicy", "submit"]

SUBMIT = "/api/2.2/jobs/runs/submit"


@dataclass(frozen=True)
class RetryPolicy:
    """Seconds between attempts (doubled each time, up to `longest`), and until giving up."""

    first: float = 1.0
    longest: float = 30.0
    give_up: float = 600.0


def submit(client: Workspace, submission: Submission, say: Callable[[str], None],
           retry_policy: RetryPolicy) -> int:
    """The job run's id. Sent again with the same token, the platform answers with the same run.

    The SDK itself retries when it was told to wait or the connection broke; this adds failures of
    the service itself.

    Raises:
        BadInput: the platform refuses the request.
        Unreachable: it did not take the request in time; a run may have been started.
        KeyboardInterrupt: Ctrl-C or SIGTERM; a run that the platform had taken was cancelled.
    """
    body = submit_body(submission)
    with deferred() as interrupted:
        job_run = _taken(client, body, say, retry_policy, interrupted)
        if job_run is not None and interrupted():
            cancel_job_run(client, job_run)
    assert job_run is not None  # otherwise `held` has raised the interrupt
    return job_run


def _taken(client: Workspace, body: dict[str, Any], say: Callable[[str], None],
           retry_policy: RetryPolicy, interrupted: Callable[[], bool]) -> int | None:
    pause, until = retry_policy.first, time.monotonic() + retry_policy.give_up
    while not interrupted():
        try:
            with translated(f"submit {body['run_name']}"):
                return int(call(client, "POST", SUBMIT, body=body)["run_id"])
        except Unreachable as problem:
            if time.monotonic() + pause > until:
                raise
            say(f"{problem} The same submission is sent again.")
            time.sleep(pause)
            pause = min(2 * pause, retry_policy.longest)
    return None
