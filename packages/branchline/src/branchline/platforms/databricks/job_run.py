"""A project's run on the platform: followed, cancelled, and its MLflow run never left RUNNING."""

from __future__ import annotations

import time
from collections.abc import Callable

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import Run
from mlflow import MlflowClient
from mlflow.entities import RunStatus, RunTag
from mlflow.exceptions import MlflowException
from mlflow.projects import SubmittedRun

from branchline.errors import BadInput, PlatformError
from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.diagnosis import Outcome, diagnose
from branchline.platforms.databricks.poll import PollPolicy, ended, follow
from branchline.runs.tracking import answered

__all__ = ["JobRun"]

JOB_RUN_TAG = "databricks.job_run_id"
STEP_TAG = "step"
PAGE_TAG = "mlflow.databricks.runURL"
CANCEL_SECONDS = 5.0


class JobRun(SubmittedRun):
    """What MLflow knows as a submitted run: a job run, and the MLflow run that it resumes.

    `say` is called with a line at each change; `outcome` is there once the run has ended.
    """

    def __init__(self, client: WorkspaceClient, run_id: str, job_run: int,
                 say: Callable[[str], None], poll_policy: PollPolicy = PollPolicy()) -> None:
        self.job_run = job_run
        self.outcome: Outcome | None = None
        self._client = client
        self._run_id = run_id
        self._say = say
        self._poll_policy = poll_policy

    @classmethod
    def of(cls, client: WorkspaceClient, run_id: str, say: Callable[[str], None]) -> JobRun:
        """The one that an MLflow run was started as.

        Raises:
            BadInput: the MLflow run was not submitted as a job.
        """
        with answered(f"run {run_id}"):
            job_run = MlflowClient().get_run(run_id).data.tags.get(JOB_RUN_TAG)
        if job_run is None:
            raise BadInput(f"run {run_id}: has no tag {JOB_RUN_TAG}; expected a run that run.py "
                           "submitted to a workspace.")
        return cls(client, run_id, int(job_run), say)

    @property
    def run_id(self) -> str:
        return self._run_id

    def record(self) -> str:
        """Tag the MLflow run with the job run and its page; the page's address."""
        with translated(f"job run {self.job_run}"):
            page = self._client.jobs.get_run(self.job_run).run_page_url or ""
        tags = {JOB_RUN_TAG: str(self.job_run), PAGE_TAG: page}
        with answered(f"run {self._run_id}"):
            MlflowClient().log_batch(
                self._run_id, tags=[RunTag(name, text) for name, text in tags.items()])
        return page

    def wait(self) -> bool:
        """Follow the run to its end; whether it succeeded. Then `outcome` tells more."""
        self._settle(follow(self._client, self.job_run, self._say, self._poll_policy, self._step))
        assert self.outcome is not None
        if not self.outcome.succeeded:
            self._say(self.outcome.told)
        return self.outcome.succeeded

    def _step(self) -> str:
        """What the code says it is at; a run's tag, as the product's pipeline sets it."""
        try:
            return str(MlflowClient().get_run(self._run_id).data.tags.get(STEP_TAG, ""))
        except MlflowException:
            return ""  # nothing depends on it

    def get_status(self) -> str:
        """The MLflow run's status, by MLflow's names."""
        with translated(f"job run {self.job_run}"):
            run = self._client.jobs.get_run(self.job_run)
        if not ended(run):
            return str(RunStatus.to_string(RunStatus.RUNNING))
        return _status(diagnose(self._client, run))

    def cancel(self) -> None:
        """Cancel the job run and mark the MLflow run KILLED.

        Raises:
            PlatformError: the workspace could not be told; the job run goes on.
        """
        with translated(f"cancel job run {self.job_run}"):
            self._client.jobs.cancel_run(self.job_run)
        until, pauses = time.monotonic() + CANCEL_SECONDS, self._poll_policy.pauses()
        while not self._has_ended() and time.monotonic() < until:
            time.sleep(next(pauses))
        with answered(f"run {self._run_id}"):
            MlflowClient().set_terminated(self._run_id, "KILLED")

    def _has_ended(self) -> bool:
        try:
            with translated(f"job run {self.job_run}"):
                return ended(self._client.jobs.get_run(self.job_run))
        except PlatformError:
            return False

    def _settle(self, run: Run) -> None:
        """The code on the platform ends its MLflow run itself, if it gets that far.

        A script that fails may have ended it as FINISHED: by MLflow's own last act of a process.
        """
        self.outcome = diagnose(self._client, run)
        mlflow = MlflowClient()
        with answered(f"run {self._run_id}"):
            left = mlflow.get_run(self._run_id).info.status
            if left not in ("FAILED", "KILLED") and left != _status(self.outcome):
                if self.outcome.cause:
                    mlflow.set_tag(self._run_id, "error", self.outcome.cause)
                mlflow.set_terminated(self._run_id, _status(self.outcome))


def _status(outcome: Outcome) -> str:
    return "FINISHED" if outcome.succeeded else "KILLED" if outcome.cancelled else "FAILED"
