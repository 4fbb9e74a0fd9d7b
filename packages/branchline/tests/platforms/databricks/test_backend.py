"""The backend as plain MLflow calls it: any project of Python entry points, on each compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities import Run
from mlflow.exceptions import ExecutionException

from branchline.errors import BadInput, NotAllowed
from support.greeting import CLUSTER
from support.processes import wait_until
from workspace_server import Workspace


def project_run(folder: Path, experiment: str, config: Any = None, **arguments: Any) -> Run:
    """The MLflow run of `mlflow.projects.run` with our backend."""
    submitted = mlflow.projects.run(  # type: ignore[no-untyped-call]
        str(folder), backend="databricks-jobs", experiment_id=experiment,
        backend_config=config or str(folder / "cluster.json"), **arguments)
    return mlflow.MlflowClient().get_run(submitted.run_id)


def runs_of(experiment: str) -> list[Run]:
    return list(mlflow.MlflowClient().search_runs([experiment]))


@pytest.mark.parametrize("config", [
    None, {"serverless": "5"}, {"existing_cluster_id": "0101-000000-interact"}],
    ids=["cluster file", "serverless", "running cluster"])
def test_a_project_resumes_its_mlflow_run_on_each_kind_of_compute(
        greeting: Path, experiment: str, config: dict[str, str] | None) -> None:
    run = project_run(greeting, experiment, config, parameters={"who": "a 'quoted' $(name)"})
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"letters": 18}
    assert run.data.params["said"] == "hello"
    assert run.data.tags["mlflow.project.backend"] == "databricks-jobs"
    assert [found.info.run_id for found in runs_of(experiment)] == [run.info.run_id]


def test_without_an_experiment_mlflow_run_prints_one_line(
        greeting: Path, signed_in: Workspace) -> None:
    with pytest.raises(ExecutionException, match="no experiment: .*--experiment-name /Shared/NAME"):
        mlflow.projects.run(str(greeting), backend="databricks-jobs",  # type: ignore
                            backend_config=CLUSTER)


def test_a_second_run_uploads_nothing(
        greeting: Path, experiment: str, signed_in: Workspace) -> None:
    project_run(greeting, experiment, entry_point="silent")
    before = len(signed_in.calls())
    project_run(greeting, experiment, entry_point="silent")
    assert [call for call in signed_in.calls()[before:] if "import" in call["path"]] == []


def test_a_script_without_mlflow_leaves_no_run_running(
        greeting: Path, experiment: str) -> None:
    assert project_run(greeting, experiment, entry_point="silent").info.status == "FINISHED"
    (greeting / "silent.py").write_text("raise SystemExit(3)")
    with pytest.raises(ExecutionException):
        project_run(greeting, experiment, entry_point="silent")
    assert sorted(run.info.status for run in runs_of(experiment)) == ["FAILED", "FINISHED"]


def test_a_failure_of_the_code_is_reported_with_the_end_of_its_trace(
        greeting: Path, experiment: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ExecutionException):
        project_run(greeting, experiment, parameters={"then": "fail"})
    said = capsys.readouterr().out
    assert "the project's code failed: ValueError: told to fail" in said
    assert 'raise ValueError("told to fail")' in said
    assert [run.info.status for run in runs_of(experiment)] == ["FAILED"]


def test_a_cancelled_run_is_killed_on_both_sides(
        greeting: Path, experiment: str, signed_in: Workspace) -> None:
    submitted = mlflow.projects.run(  # type: ignore[no-untyped-call]
        str(greeting), backend="databricks-jobs", backend_config=CLUSTER, synchronous=False,
        experiment_id=experiment, parameters={"then": "sleep"})
    wait_until(lambda: "sleeping" in runs_of(experiment)[0].data.tags)
    assert submitted.get_status() == "RUNNING"
    submitted.cancel()
    assert [run.info.status for run in runs_of(experiment)] == ["KILLED"]
    assert submitted.get_status() == "KILLED"
    state = signed_in.client().jobs.get_run(submitted.job_run).state
    assert state and state.result_state and state.result_state.value == "CANCELED"


def test_a_command_other_than_a_python_script_is_refused_before_anything_is_created(
        greeting: Path, experiment: str) -> None:
    with pytest.raises(BadInput, match="entry point shell: command 'echo hello'; on Databricks"):
        project_run(greeting, experiment, entry_point="shell")
    assert runs_of(experiment) == []


def test_runs_are_tracked_where_they_run(
        greeting: Path, experiment: str, store: str) -> None:
    mlflow.set_tracking_uri(store)
    with pytest.raises(BadInput, match="set MLFLOW_TRACKING_URI=databricks"):
        project_run(greeting, "0")


def test_a_user_who_may_not_run_gets_an_error_and_leaves_nothing(
        greeting: Path, experiment: str, signed_in: Workspace,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", signed_in.token("reader@example.com"))
    before = signed_in.clusters_started()
    with pytest.raises((NotAllowed, mlflow.exceptions.MlflowException)):
        project_run(greeting, experiment)
    assert signed_in.clusters_started() == before
