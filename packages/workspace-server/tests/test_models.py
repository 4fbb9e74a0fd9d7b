from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, PermissionDenied
from mlflow.exceptions import RestException

from branchline.errors import BadInput, NotAllowed
from branchline.gate.candidates import Candidate, find_candidate
from branchline.runs.registry import Registered, Registry
from branchline.runs.tracking import Tracking
from runs_in_workspace import HOME
from support.tracked import finished
from workspace_server import Workspace
from workspace_server.models_api import PREFIX

TRACKING = Tracking("databricks", None)
SCHEMA = "dev.models"


@pytest.fixture(scope="module")
def registry(serving: Workspace) -> Iterator[Registry]:
    """The workspace's registry, for dev@example.com, and a schema for the models."""
    serving.client().schemas.create("models", "dev")
    serving.client().workspace.mkdirs(HOME)
    before = mlflow.get_tracking_uri()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        for name, value in serving.environment().items():
            patch.setenv(name, value)
        yield Registry(TRACKING)
    mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def candidate(registry: Registry) -> Candidate:
    """A finished run with a scikit-learn model."""
    experiment = TRACKING.experiment(f"{HOME}/models")
    return find_candidate(TRACKING, experiment, finished(experiment, with_model=True),
                          with_model=True)


@pytest.fixture
def name(tmp_path: Path) -> str:
    """A model's name that no other test has."""
    return f"{SCHEMA}.{tmp_path.name}"


def register(registry: Registry, name: str, candidate: Candidate, **tags: str) -> Registered:
    assert candidate.model_id
    return registry.register(name, candidate.model_id, candidate.run_id, tags)


def asked(client: WorkspaceClient, method: str, path: str, **fields: str) -> Any:
    """The answer of the registry's API, without MLflow's client between."""
    sent: Any = {"query": fields} if method == "GET" else {"body": fields}
    return client.api_client.do(method, f"{PREFIX}/{path}", **sent)


def test_a_version_leads_back_to_its_run_and_is_found_by_its_alias(
        registry: Registry, candidate: Candidate, name: str) -> None:
    assert registry.champion(name) is None
    made = register(registry, name, candidate, commit="c0ffee")
    assert (made.version, made.run_id, made.tags) == ("1", candidate.run_id, {"commit": "c0ffee"})
    assert registry.champion(name) is None
    registry.challenge(name, made.version)
    registry.promote(name, made.version)
    assert registry.aliased(name, "challenger") == registry.champion(name) == made


def test_a_model_loads_by_its_alias_and_by_its_version_through_the_files_api_alone(
        registry: Registry, candidate: Candidate, name: str, workspace: Workspace) -> None:
    made = register(registry, name, candidate)
    registry.promote(name, made.version)
    for uri in (made.uri, f"models:/{name}@champion"):
        assert mlflow.sklearn.load_model(uri).predict(pd.DataFrame({"amount": [1.0]})).size == 1
    calls = {(call["method"], call["path"]) for call in workspace.calls()}
    file = f"/api/2.0/fs/files/Models/{name.replace('.', '/')}/1/MLmodel"
    assert {("PUT", file), ("GET", file)} <= calls
    assert not [path for _, path in calls if path.endswith("generate-temporary-credentials")]


def test_a_run_is_registered_once_and_the_next_run_is_the_next_version(
        registry: Registry, candidate: Candidate, name: str) -> None:
    first = register(registry, name, candidate, gate="refused")
    again = register(registry, name, candidate, gate="passed")
    assert first.version == again.version == "1" and again.tags == {"gate": "passed"}
    experiment = TRACKING.experiment(f"{HOME}/models")
    later = find_candidate(TRACKING, experiment, finished(experiment, with_model=True),
                           with_model=True)
    assert register(registry, name, later).version == "2"
    assert register(registry, name, candidate).version == "1"


def test_a_version_with_incomplete_files_is_not_taken_for_the_runs_version(
        registry: Registry, candidate: Candidate, name: str, client: WorkspaceClient) -> None:
    asked(client, "POST", "registered-models/create", name=name)
    asked(client, "POST", "model-versions/create", name=name, source="", run_id=candidate.run_id)
    left = mlflow.MlflowClient().get_model_version(name, "1")
    assert left.status == "PENDING_REGISTRATION"
    assert register(registry, name, candidate).version == "2"


def test_names_are_kept_in_lower_case(
        registry: Registry, candidate: Candidate, name: str) -> None:
    made = register(registry, name.upper(), candidate)
    assert made.name == name and register(registry, name, candidate) == made


@pytest.mark.parametrize(("unfit", "reason"), [
    ("dev.none.m", "Schema 'dev.none' does not exist"),
    ("none.models.m", "Catalog 'none' does not exist"),
    ("spark_catalog.default.m", "is not of Unity Catalog"),
    ("dev.models.a b", "is not a valid name"),
])
def test_a_model_needs_a_schema_of_unity_catalog(
        registry: Registry, candidate: Candidate, unfit: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        register(registry, unfit, candidate)


def test_a_name_without_its_catalog_and_schema_gets_the_clients_hint(registry: Registry) -> None:
    with pytest.raises(mlflow.MlflowException, match="set the Model Registry URI to 'databricks'"):
        mlflow.MlflowClient().create_registered_model("m")


@pytest.mark.parametrize(("key", "value"), [("a.b", "c"), ("a", "c" * 1001), ("a", " c")])
def test_a_tag_must_be_valid_in_unity_catalog(
        registry: Registry, candidate: Candidate, name: str, key: str, value: str) -> None:
    register(registry, name, candidate)
    with pytest.raises(RestException, match="INVALID_PARAMETER_VALUE: .*ag.*'a.*' is not valid"):
        mlflow.MlflowClient().set_model_version_tag(name, "1", key, value)


def test_versions_are_searched_by_name_alone(registry: Registry, candidate: Candidate) -> None:
    with pytest.raises(RestException, match="Unsupported filter query"):
        mlflow.MlflowClient().search_model_versions(f"run_id = '{candidate.run_id}'")


def test_a_deleted_versions_aliases_and_files_go_and_its_number_stays_used(
        registry: Registry, candidate: Candidate, name: str, client: WorkspaceClient) -> None:
    registry.promote(name, register(registry, name, candidate).version)
    mlflow.MlflowClient().delete_model_version(name, "1")
    assert registry.champion(name) is None
    with pytest.raises(NotFound):
        client.files.get_metadata(f"/Models/{name.replace('.', '/')}/1/MLmodel")
    assert register(registry, name, candidate).version == "2"
    with pytest.raises(BadInput, match="version 1"):
        registry.promote(name, "1")


def test_a_reader_loads_models_but_neither_makes_nor_promotes_one(
        registry: Registry, candidate: Candidate, name: str, workspace: Workspace,
        monkeypatch: pytest.MonkeyPatch) -> None:
    made = register(registry, name, candidate)
    monkeypatch.setenv("DATABRICKS_TOKEN", workspace.token("reader@example.com"))
    assert mlflow.sklearn.load_model(made.uri)
    with pytest.raises(NotAllowed):
        registry.promote(name, "1")
    with pytest.raises(NotAllowed):
        register(registry, f"{name}_more", candidate)


def test_credentials_of_the_cloud_are_refused(client: WorkspaceClient) -> None:
    with pytest.raises(PermissionDenied):
        asked(client, "POST", "model-versions/generate-temporary-credentials", name="m")


def test_models_outlive_the_server_and_are_listed_in_pages(tmp_path: Path) -> None:
    with Workspace.start(tmp_path) as before:
        for name in ("dev.default.a", "dev.default.b"):
            asked(before.client(), "POST", "registered-models/create", name=name)
    with Workspace.start(tmp_path) as after:
        first = asked(after.client(), "GET", "registered-models/search", max_results="1")
        assert [model["name"] for model in first["registered_models"]] == ["dev.default.a"]
        rest = asked(after.client(), "GET", "registered-models/search",
                     page_token=first["next_page_token"])
        assert [model["name"] for model in rest["registered_models"]] == ["dev.default.b"]
        assert "next_page_token" not in rest
