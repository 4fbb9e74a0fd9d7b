from __future__ import annotations

import io
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient

from branchline.platforms.databricks.runtimes import Runtime
from runs_in_workspace import CLUSTER, VOLUME, Jobs, result
from small_wheels import make_wheel
from workspace_server import Workspace
from workspace_server.clusters import INTERACTIVE

GREETING = "import greeting; print('said', greeting.SAYS)"
SERVERLESS = {"new_cluster": None, "environment_key": "default"}
ON_INTERACTIVE = {"new_cluster": None, "existing_cluster_id": INTERACTIVE}


def put(client: WorkspaceClient, wheel: Path, folder: str = VOLUME) -> str:
    """Put the wheel into the volume; what a request calls it."""
    client.files.upload(f"{folder}/{wheel.name}", io.BytesIO(wheel.read_bytes()), overwrite=True)
    return f"{folder}/{wheel.name}"


@pytest.mark.parametrize("compute", ["classic", "serverless"])
def test_a_new_wheel_of_the_same_name_is_what_runs(compute: str, client: WorkspaceClient,
                                                   jobs: Jobs, tmp_path: Path) -> None:
    for says in ("one", "two"):
        library = put(client, make_wheel(tmp_path / says, "1.0", says))
        changes = ({"libraries": [{"whl": library}]} if compute == "classic" else {
            **SERVERLESS, "run_environments": [
                {"environment_key": "default",
                 "spec": {"environment_version": "5", "dependencies": [library]}}]})
        assert jobs.said(GREETING, **changes) == f"said {says}\n"


def test_an_interactive_cluster_keeps_the_wheel_that_it_has(
        client: WorkspaceClient, jobs: Jobs, tmp_path: Path) -> None:
    said = []
    for version, says in (("1.0", "old"), ("1.0", "new"), ("2.0", "newer")):
        library = put(client, make_wheel(tmp_path / says, version, says))
        said.append(jobs.said(GREETING, libraries=[{"whl": library}], **ON_INTERACTIVE))
    assert said == ["said old\n", "said old\n", "said newer\n"]


@pytest.mark.parametrize(("version", "ends"), [("14.3.x-scala2.12", "SUCCESS"),
                                               ("18.x-scala2.13", "FAILED")])
def test_a_wheel_in_dbfs_installs_only_on_an_old_runtime(
        version: str, ends: str, client: WorkspaceClient, jobs: Jobs, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "3.0", "dbfs")
    client.dbfs.upload(f"/FileStore/{wheel.name}", io.BytesIO(wheel.read_bytes()), overwrite=True)
    run, _ = jobs.ended(jobs.submit(
        GREETING, libraries=[{"whl": f"dbfs:/FileStore/{wheel.name}"}],
        new_cluster={**CLUSTER, "spark_version": version}))
    assert result(run)[0] == ends


def test_a_wheel_that_does_not_install_is_reported_with_the_cause(
        client: WorkspaceClient, jobs: Jobs, tmp_path: Path) -> None:
    library = put(client, make_wheel(tmp_path, "4.0", "x", "greeting-that-is-nowhere @ file:///no"))
    run, _ = jobs.ended(jobs.submit(GREETING, libraries=[{"whl": library}]))
    assert result(run)[1] == "LIBRARY_INSTALLATION_ERROR"
    assert run.state and "/no" in (run.state.state_message or "")


def test_a_run_can_have_the_libraries_of_its_runtime(tmp_path: Path) -> None:
    with Workspace.start(tmp_path, environment="runtime") as workspace:
        log = Jobs(workspace.client()).said(
            "import numpy, pandas; print(numpy.__version__, pandas.__version__)",
            new_cluster={**CLUSTER, "spark_version": "17.3.x-cpu-ml-scala2.13"})
    has = Runtime.read("17.3-lts").libraries
    assert log == f"{has['numpy']} {has['pandas']}\n"
