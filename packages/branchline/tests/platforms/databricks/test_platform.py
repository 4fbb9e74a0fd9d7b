from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

import mlflow
import pytest
from databricks.sdk.service.jobs import RunResultState

from branchline.branch import Branch
from branchline.config.mlproject import Project
from branchline.config.targets import Compute, WorkspaceTarget
from branchline.errors import BadInput
from branchline.platforms.databricks.platform import sign_in
from branchline.platforms.databricks.tracking import WorkspaceTracking
from branchline.runs.request import Asked, request
from branchline.runs.start import start
from support.clone import PATH
from support.processes import wait_until
from support.releasing import CLUSTER, repository
from workspace_server import Workspace


def test_an_unfit_cluster_file_is_refused_before_a_run_exists(
        signed_in: Workspace, tmp_path: Path) -> None:
    name = f"{tmp_path.parent.name}-{tmp_path.name}"
    target = WorkspaceTarget("dev", f"/Shared/{name}", "dev", "/Volumes/dev/branchline/files",
                             f"dbfs:/Volumes/dev/branchline/wheels/{name}",
                             Compute(cluster="none.json"))
    root, feature = repository(tmp_path / "repository"), Branch("branch", "feature")
    project = Project.read(root / "mlflow-notebooks" / "greeting")
    there = sign_in(target, root, dict(os.environ), lambda line: None)
    asked = request(root, target, project, feature, Asked())
    with pytest.raises(BadInput, match="none.json: cannot be read as JSON"):
        start(there, asked, {})
    experiment = feature.experiment(target.experiment_root, project.name)
    assert mlflow.get_experiment_by_name(experiment) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_just_after_its_submission_is_cancelled(
        number: int, signed_in: Workspace, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{tmp_path.parent.name}-{tmp_path.name}"
    target = WorkspaceTarget("dev", f"/Shared/{name}", "dev", "/Volumes/dev/branchline/files",
                             f"dbfs:/Volumes/dev/branchline/wheels/{name}",
                             Compute(existing_cluster_id=CLUSTER))
    root, feature = repository(tmp_path / "repository"), Branch("branch", "feature")
    project = Project.read(root / "mlflow-notebooks" / "greeting")
    there = sign_in(target, root, dict(os.environ), lambda line: None)
    tag = WorkspaceTracking.tag

    def interrupted(tracking: WorkspaceTracking, run_id: str, tags: Mapping[str, str]) -> None:
        tag(tracking, run_id, tags)
        for each in (number, signal.SIGINT, signal.SIGTERM):  # CI may send several at once
            os.kill(os.getpid(), each)

    monkeypatch.setenv("PATH", PATH)
    monkeypatch.setattr(WorkspaceTracking, "tag", interrupted)
    asked = request(root, target, project, feature, Asked(parameters={"who": "patience"}))
    with pytest.raises(KeyboardInterrupt):
        start(there, asked, {})
    [run] = mlflow.search_runs(output_format="list", experiment_names=[
        feature.experiment(target.experiment_root, project.name)])
    assert run.info.status == "KILLED"
    wait_until(lambda: _result(signed_in) is not None)
    assert _result(signed_in) == RunResultState.CANCELED


def _result(workspace: Workspace) -> RunResultState | None:
    """The result of the newest job run."""
    job_run = next(iter(workspace.client().jobs.list_runs(limit=1)))
    return job_run.state.result_state if job_run.state else None
