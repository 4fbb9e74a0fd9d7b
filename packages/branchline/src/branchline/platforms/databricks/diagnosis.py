"""Why a submitted run ended as it did, in one line, and the end of what it printed."""

from __future__ import annotations

from dataclasses import dataclass

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import Run, RunOutput, RunResultState

from branchline.errors import PlatformError, RunCancelled, RunFailed
from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.poll import task_of
from branchline.text import collapsed

__all__ = ["Outcome", "diagnose"]

TRACE_LINES = 25
LONGEST_LINE = 300
CODE = "the project's code failed"
CLUSTER = "the cluster did not start or was lost"
RIGHTS = "a right or a file is missing"
CAUSES = {
    "RUN_EXECUTION_ERROR": CODE,
    "LIBRARY_INSTALLATION_ERROR": "a library would not install",
    "CLUSTER_ERROR": CLUSTER,
    "CLUSTER_REQUEST_LIMIT_EXCEEDED": CLUSTER,
    "CLUSTER_TERMINATED_BY_USER": CLUSTER,
    "CLOUD_FAILURE": CLUSTER,
    "DRIVER_ERROR": CLUSTER,
    "INVALID_CLUSTER_REQUEST": CLUSTER,
    "UNAUTHORIZED_ERROR": RIGHTS,
    "STORAGE_ACCESS_ERROR": RIGHTS,
    "RESOURCE_NOT_FOUND": RIGHTS,
    "INVALID_RUN_CONFIGURATION": "the submission cannot be run",
}
REMEDIES = {
    "a library would not install": "`doctor.py` compares the wheel's requirements with the "
                                   "runtime's libraries.",
    CLUSTER: "`doctor.py` checks the cluster file; a lost node is cured by running again.",
    RIGHTS: "`doctor.py` lists the rights that a run needs.",
}


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `cause` is one line, `trace` the end of the traceback or of the output."""

    succeeded: bool
    cancelled: bool = False
    cause: str = ""
    trace: str = ""

    @property
    def told(self) -> str:
        """What a person is told of a run that did not succeed."""
        return "\n".join(filter(None, (self.trace, self.cause)))

    def failure(self, what: str) -> RunFailed:
        """The error to raise for it."""
        return (RunCancelled if self.cancelled else RunFailed)(f"{what}: {self.cause}")


def diagnose(client: WorkspaceClient, run: Run) -> Outcome:
    """The outcome of a run that has ended.

    Not the life cycle's state decides: a run whose code fails reads INTERNAL_ERROR.
    """
    result = run.state.result_state if run.state else None
    if result in (RunResultState.SUCCESS, RunResultState.SUCCESS_WITH_FAILURES):
        return Outcome(True)
    if result in (RunResultState.CANCELED, RunResultState.UPSTREAM_CANCELED):
        return Outcome(False, cancelled=True, cause="cancelled on the platform")
    if result is RunResultState.TIMEDOUT:
        return Outcome(False, cause="time limit reached; timeout_minutes of the target sets it")
    output = _output(client, run)
    code, message = _termination(run)
    cause = CAUSES.get(code, code or "ended without success")
    found = (output.error if cause == CODE and output.error else message).strip()
    remedy = REMEDIES.get(cause, "")
    line = collapsed(f"{cause}: {_shortened(found) or 'no message'} {remedy}")
    return Outcome(False, cause=line, trace=_last_lines(output.error_trace or output.logs or ""))


def _termination(run: Run) -> tuple[str, str]:
    """Code and message: the task's own, else the run's."""
    for part in (task_of(run), run):
        details = part.status.termination_details if part and part.status else None
        if details and details.code:
            return details.code.value, details.message or ""
    return "", (run.state.state_message or "") if run.state else ""


def _output(client: WorkspaceClient, run: Run) -> RunOutput:
    task = task_of(run)
    if task is None or task.run_id is None:
        return RunOutput()
    try:
        with translated("run output"):
            return client.jobs.get_run_output(task.run_id)
    except PlatformError:
        return RunOutput()  # the cause is known without it


def _last_lines(text: str) -> str:
    return "\n".join(map(_shortened, text.rstrip().splitlines()[-TRACE_LINES:]))


def _shortened(line: str) -> str:
    """A Java exception's one line may hold its whole trace."""
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} ..."
