"""What the Jobs API says about a run with one task, as far as it is used here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.workspace import Workspace, call

__all__ = ["RunInfo", "cancel_job_run", "job_run_info"]

ENDED = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")


@dataclass(frozen=True)
class RunInfo:
    """A run's states by the platform's names, "" if not given.

    `code` and `message` say why it ended, `page` is its address; `task` is the id of the newest
    attempt at its one task (None where it ended before it had one), `cluster` what that runs on.
    """

    state: str
    result: str = ""
    code: str = ""
    message: str = ""
    page: str = ""
    task: int | None = None
    cluster: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> RunInfo:
        """Reads an answer of runs/get."""
        task = max(answer.get("tasks") or [{}], key=lambda one: one.get("attempt_number", 0))
        state = answer.get("state", {})
        code, message = _termination(task, answer)
        return cls(state.get("life_cycle_state", ""), state.get("result_state", ""), code,
                   message or state.get("state_message", ""), answer.get("run_page_url", ""),
                   task.get("run_id"), task.get("cluster_instance", {}).get("cluster_id", ""))


def job_run_info(client: Workspace, job_run: int) -> RunInfo:
    """The run as it is now.

    Raises:
        BranchlineError: as `translated` says.
    """
    with translated(f"job run {job_run}"):
        return RunInfo.of(call(client, "GET", "/api/2.2/jobs/runs/get", query={"run_id": job_run}))


def cancel_job_run(client: Workspace, job_run: int) -> None:
    """Tell the platform to end the run, which it does a moment later.

    Raises:
        BranchlineError: as `translated` says; the run goes on.
    """
    with translated(f"cancel job run {job_run}"):
        call(client, "POST", "/api/2.2/jobs/runs/cancel", body={"run_id": job_run})


def _termination(*parts: Mapping[str, Any]) -> tuple[str, str]:
    """Code and message of the first part that has them: the task's own go before the run's."""
    for part in parts:
        details = part.get("status", {}).get("termination_details", {})
        if details.get("code"):
            return details["code"], details.get("message", "")
    return "", ""
