"""Why a submitted run ended, in one line, and the last lines of its output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from branchline.errors import PlatformError, RunCancelled, RunFailed
from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.run_info import RunInfo
from branchline.platforms.databricks.workspace import Workspace, call
from branchline.text import collapsed

__all__ = ["Outcome", "diagnose"]

TRACE_LINES = 25
LONGEST_LINE = 300
CODE = "the project's code failed"
CLUSTER = "the cluster did not start or was lost"
RIGHTS = "a permission or a file is missing"
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
    CLUSTER: "`doctor.py` checks the cluster file; if a node was lost, run again.",
    RIGHTS: "`doctor.py` lists the permissions that a run needs.",
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
        """The lines to print for a run that did not succeed."""
        return "\n".join(filter(None, (self.trace, self.cause)))

    def failure(self, what: str) -> RunFailed:
        """The error to raise for it."""
        return (RunCancelled if self.cancelled else RunFailed)(f"{what}: {self.cause}")


def diagnose(client: Workspace, run: RunInfo) -> Outcome:
    """The outcome of a run that has ended.

    The life cycle state does not decide this: a run whose code fails ends as INTERNAL_ERROR.
    """
    if run.result in ("SUCCESS", "SUCCESS_WITH_FAILURES"):
        return Outcome(True)
    if run.result in ("CANCELED", "UPSTREAM_CANCELED"):
        return Outcome(False, cancelled=True, cause="cancelled on the platform")
    if run.result == "TIMEDOUT":
        return Outcome(False, cause="time limit reached; timeout_minutes of the target sets it")
    output = _output(client, run)
    cause = CAUSES.get(run.code, run.code or "ended without success")
    found = (cause == CODE and output.get("error") or run.message).strip()
    remedy = REMEDIES.get(cause, "")
    line = collapsed(f"{cause}: {_shortened(found) or 'no message'} {remedy}")
    return Outcome(False, cause=line,
                   trace=_last_lines(output.get("error_trace") or output.get("logs") or ""))


def _output(client: Workspace, run: RunInfo) -> dict[str, Any]:
    """The answer of runs/get-output, of the task; empty where it has none."""
    if run.task is None:
        return {}
    try:
        with translated("run output"):
            return call(client, "GET", "/api/2.2/jobs/runs/get-output", query={"run_id": run.task})
    except PlatformError:
        return {}  # the cause is known without it


def _last_lines(text: str) -> str:
    return "\n".join(map(_shortened, text.rstrip().splitlines()[-TRACE_LINES:]))


def _shortened(line: str) -> str:
    """A Java exception may have its whole trace on one line."""
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} ..."
