from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import ResourceAlreadyExists
from databricks.sdk.service.ml import ExperimentTag

from runs_in_workspace import HOME
from support.clone import ROOT
from workspace_server import Workspace

STORY = Path(__file__).with_name("mlflow_story.py")


@pytest.fixture(scope="module")
def story(serving: Workspace) -> dict[str, Any]:
    """What the client of mlflow_story.py saw."""
    done = subprocess.run(
        [sys.executable, STORY, HOME], cwd=ROOT, capture_output=True,
        text=True, env={**os.environ, **serving.environment(), "MLFLOW_HTTP_REQUEST_MAX_RETRIES":
                        "0", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"})
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_an_experiment_needs_its_folder_and_an_absolute_path(story: dict[str, Any]) -> None:
    assert story["no parent"] == "RESOURCE_DOES_NOT_EXIST"
    assert story["no path"] == "INVALID_PARAMETER_VALUE"


def test_the_prefix_workspace_is_dropped_on_creation_but_not_in_a_search(
        story: dict[str, Any]) -> None:
    assert story["prefixed"] == ""
    assert story["prefixed again"] == "RESOURCE_ALREADY_EXISTS"
    assert story["prefix is found"] is False


def test_an_experiment_is_a_node_of_the_workspace(story: dict[str, Any],
                                                  client: WorkspaceClient) -> None:
    node = client.workspace.get_status(f"{HOME}/experiment")
    assert str(node.object_id) == story["id"]
    with pytest.raises(ResourceAlreadyExists):
        client.workspace.mkdirs(f"{HOME}/experiment/below")


def test_the_server_says_whose_an_experiment_is(story: dict[str, Any]) -> None:
    assert story["tags"]["mlflow.ownerEmail"] == "dev@example.com"
    assert story["tags"]["mlflow.experimentType"] == "MLFLOW_EXPERIMENT"


def test_a_run_reads_back_as_it_was_logged(story: dict[str, Any]) -> None:
    assert story["data"] == [{"depth": "3"}, {"auc": 0.5}, "a/b"]
    assert story["artifacts"] == ["notes/hello.txt"]
    assert story["text"] == "hello"


def test_a_model_loads_by_its_id_and_by_its_run(story: dict[str, Any]) -> None:
    assert story["loaded"] == ["LogisticRegression", "LogisticRegression"]


def test_artifacts_lie_where_databricks_has_them(story: dict[str, Any],
                                                 workspace: Workspace) -> None:
    root = f"dbfs:/databricks/mlflow-tracking/{story['id']}"
    assert story["artifact_uri"].startswith(f"{root}/")
    assert story["model_uri"].startswith(f"{root}/logged_models/")
    uploads = [call["path"] for call in workspace.calls() if call["method"] == "PUT"
               and f"/Artifacts/{story['id']}/" in call["path"]]
    assert any("/Runs/" in path for path in uploads)
    assert any("/LoggedModels/" in path for path in uploads)


def test_a_deleted_experiment_frees_its_name(story: dict[str, Any], workspace: Workspace,
                                             client: WorkspaceClient) -> None:
    name = f"{HOME}/again"
    first = client.experiments.create_experiment(name).experiment_id
    client.workspace.delete(name)
    second = client.experiments.create_experiment(name).experiment_id
    assert first != second
    client.experiments.delete_experiment(str(second))
    assert name not in [node.path for node in client.workspace.list(HOME)]


def test_a_reader_makes_no_experiment(story: dict[str, Any], workspace: Workspace) -> None:
    from databricks.sdk.errors import PermissionDenied
    reader = workspace.client("reader@example.com")
    assert reader.experiments.get_experiment(story["id"]).experiment
    with pytest.raises(PermissionDenied):
        reader.experiments.create_experiment(f"{HOME}/mine")


@pytest.fixture(scope="module")
def three(story: dict[str, Any], client: WorkspaceClient) -> list[str]:
    """The ids of three experiments with a tag, oldest first; one has a run."""
    client.workspace.mkdirs(f"{HOME}/three")
    made = [client.experiments.create_experiment(
        f"{HOME}/three/{name}", tags=[ExperimentTag("team", name)]).experiment_id or ""
        for name in ("a", "b", "c")]
    client.experiments.create_run(experiment_id=made[0], start_time=1)
    return made


@pytest.mark.parametrize(("filter_", "found"), [
    (f"name = '{HOME}/three/a'", "a"), (f"attribute.name = '{HOME}/three/b'", "b"),
    (f"name LIKE '{HOME}/three/%'", "abc"), ("tags.team = 'c'", "c"),
    (f"name LIKE '{HOME}/three/%' AND tag.team != 'a'", "bc"), ("name = 'none'", "")])
def test_experiments_are_searched_without_saying_how_many(
        filter_: str, found: str, three: list[str], client: WorkspaceClient) -> None:
    answer = client.experiments.search_experiments(filter=filter_, order_by=["name"])
    assert [str(each.name)[-1] for each in answer] == list(found)


def test_a_search_without_a_filter_finds_every_experiment(
        three: list[str], client: WorkspaceClient) -> None:
    for found in (client.experiments.search_experiments(), client.experiments.list_experiments(),
                  client.experiments.search_experiments(max_results=2)):
        ids = [each.experiment_id for each in found]
        assert set(three) <= set(ids) and "0" not in ids


def test_runs_are_searched_without_saying_how_many(three: list[str],
                                                   client: WorkspaceClient) -> None:
    search = client.experiments.search_runs
    assert len(list(search(experiment_ids=three))) == 1
    assert list(search(experiment_ids=three, filter="params.depth = '3'")) == []
    assert list(search(experiment_ids=three[1:])) == []
