from __future__ import annotations

from pathlib import Path

import pytest

from branchline.errors import NotAllowed
from branchline.platforms.databricks.tracking import WorkspaceTracking
from workspace_server import Workspace


@pytest.fixture
def folder(workspace: Workspace, tmp_path: Path) -> str:
    return f"/Shared/{tmp_path.parent.name}-{tmp_path.name}"


def tracking(workspace: Workspace, user: str = "dev@example.com") -> WorkspaceTracking:
    return WorkspaceTracking("databricks", None, workspace=workspace.client(user))


def test_an_experiment_is_made_in_its_folder_and_then_found(
        workspace: Workspace, folder: str) -> None:
    ours = tracking(workspace)
    made = ours.experiment(f"{folder}/e")
    assert ours.experiment(f"{folder}/e") == made


def test_an_experiment_that_another_run_creates_meanwhile_is_used(
        workspace: Workspace, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = tracking(workspace), []

    def meanwhile(path: str) -> None:
        theirs.append(tracking(workspace).experiment(f"{path}/e"))

    monkeypatch.setattr(ours.workspace.workspace, "mkdirs", meanwhile)
    assert [ours.experiment(f"{folder}/e")] == theirs


def test_a_run_has_its_tags_and_any_number_of_parameters_and_can_be_ended(
        workspace: Workspace, folder: str) -> None:
    ours, client = tracking(workspace), workspace.client()
    experiment = ours.experiment(f"{folder}/e")
    many = {f"p{number}": str(number) for number in range(150)}
    run_id = ours.start(experiment, "main", {"branch": "a/b"}, many)
    ours.end(run_id, "KILLED")
    run = client.experiments.get_run(run_id).run
    assert run and run.info and run.info.status and run.data
    assert (run.info.status.value, run.info.run_name) == ("KILLED", "main")
    assert {str(each.key): each.value for each in run.data.params or []} == many
    assert {"branch": "a/b"}.items() <= {each.key: each.value for each in run.data.tags or []
                                         }.items()


def test_without_write_permission_there_is_an_error(workspace: Workspace, folder: str) -> None:
    workspace.client().workspace.mkdirs(folder)
    with pytest.raises(NotAllowed, match=f"experiment {folder}/e: not permitted"):
        tracking(workspace, "reader@example.com").experiment(f"{folder}/e")
