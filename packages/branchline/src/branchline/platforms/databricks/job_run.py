"""A project's run on the platform: polled, cancelled, its MLflow run never left RUNNING."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from branchline.errors import BadInput, PlatformError
from branchline.platforms.databricks.diagnosis import Outcome, diagnose
from branchline.platforms.databricks.poll import PollPolicy, poll
from branchline.platforms.databricks.run_info import RunInfo, cancel_job_run, job_run_info
from branchline.platforms.databricks.tracking import WorkspaceTracking
from branchline.platforms.databricks.workspace import Workspace

__all__ = ["JobRun"]

JOB_RUN_TAG = "databricks.job_run_id"
STEP_TAG = "step"
PAGE_TAG = "mlflow.databricks.runURL"
CANCEL_SECONDS = 5.0


@dataclass(frozen=True)
class JobRun:
    """A job run, and the MLflow run that it resumes; `say` is called with a line at each change."""

    client: Workspace
    tracking: WorkspaceTracking
    run_id: str
    job_run: int
    say: Callable[[str], None]
    poll_policy: PollPolicy = PollPolicy()

    @classmethod
    def of(cls, client: Workspace, tracking: WorkspaceTracking, run_id: str,
           say: Callable[[str], None]) -> JobRun:
        """The job run that an MLflow run was started as.

        Raises:
            BadInput: the MLflow run was not submitted as a job.
        """
        job_run = tracking.state(run_id).tags.get(JOB_RUN_TAG)
        if job_run is None:
            raise BadInput(f"run {run_id}: has no tag {JOB_RUN_TAG}; expected a run that run.py "
                           "submitted to a workspace.")
        return cls(client, tracking, run_id, int(job_run), say)

    def tag(self) -> str:
        """Tag the MLflow run with the job run and its page; the page's address."""
        page = job_run_info(self.client, self.job_run).page
        self.tracking.tag(self.run_id, {JOB_RUN_TAG: str(self.job_run), PAGE_TAG: page})
        return page

    def wait(self) -> Outcome:
        """Poll the run to its end; how it ended."""
        outcome = self._settle(poll(self.client, self.job_run, self.say, self.poll_policy,
                                    self._step))
        if not outcome.succeeded:
            self.say(outcome.told)
        return outcome

    def status(self) -> str:
        """The MLflow run's status, by MLflow's names."""
        run = job_run_info(self.client, self.job_run)
        return _status(diagnose(self.client, run)) if run.ended else "RUNNING"

    def cancel(self) -> None:
        """Cancel the job run and mark the MLflow run KILLED.

        Raises:
            PlatformError: the workspace could not be told; the job run goes on.
        """
        cancel_job_run(self.client, self.job_run)
        until, pauses = time.monotonic() + CANCEL_SECONDS, self.poll_policy.pauses()
        while not self._has_ended() and time.monotonic() < until:
            time.sleep(next(pauses))
        self.tracking.end(self.run_id, "KILLED")

    def _step(self) -> str:
        """The step that the code is at, from the run's tag."""
        try:
            return self.tracking.state(self.run_id).tags.get(STEP_TAG, "")
        except (BadInput, PlatformError):
            return ""  # nothing depends on it

    def _has_ended(self) -> bool:
        try:
            return job_run_info(self.client, self.job_run).ended
        except PlatformError:
            return False

    def _settle(self, run: RunInfo) -> Outcome:
        """Usually the code on the platform ends its MLflow run itself.

        A script that fails may still end it as FINISHED: MLflow does that when the process exits.
        """
        outcome = diagnose(self.client, run)
        left = self.tracking.state(self.run_id).status
        if left not in ("FAILED", "KILLED") and left != _status(outcome):
            if outcome.cause:
                self.tracking.tag(self.run_id, {"error": outcome.cause})
            self.tracking.end(self.run_id, _status(outcome))
        return outcome


def _status(outcome: Outcome) -> str:
    return "FINISHED" if outcome.succeeded else "KILLED" if outcome.cancelled else "FAILED"
