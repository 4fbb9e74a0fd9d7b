"""What the server does not do is refused with 501, and named; README.md lists it."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotImplemented

from runs_in_workspace import CLUSTER, SavedJob, prints
from workspace_server import Workspace

ENDPOINTS = [
    "POST /api/2.2/jobs/runs/repair", "GET /api/2.2/jobs/runs/export",
    "GET /api/2.1/jobs/list", "POST /api/2.1/jobs/runs/submit", "POST /api/2.0/jobs/create",
    "POST /api/2.1/clusters/create", "POST /api/2.1/clusters/edit", "POST /api/2.1/clusters/delete",
    "POST /api/2.1/clusters/restart", "POST /api/2.1/clusters/events",
    "GET /api/2.0/libraries/cluster-status", "POST /api/2.0/libraries/install",
    "POST /api/2.0/policies/clusters/create", "GET /api/2.0/instance-pools/list",
    "GET /api/2.0/secrets/scopes/list", "POST /api/2.0/secrets/put", "GET /api/2.0/sql/warehouses",
    "POST /api/2.0/sql/statements/", "GET /api/2.0/pipelines", "POST /api/2.0/pipelines",
    "GET /api/2.0/serving-endpoints", "GET /api/2.0/repos", "GET /api/2.0/git-credentials",
    "GET /api/2.0/preview/scim/v2/Users", "GET /api/2.0/preview/scim/v2/Groups",
    "PATCH /api/2.1/unity-catalog/schemas/dev.default", "POST /api/2.1/unity-catalog/catalogs",
    "PATCH /api/2.1/unity-catalog/permissions/schema/dev.default",
    "GET /api/2.1/unity-catalog/models", "POST /api/2.1/unity-catalog/models",
    "GET /api/2.1/unity-catalog/functions", "POST /api/2.0/mlflow/experiments/restore",
    "GET /api/2.0/mlflow/no-such-thing", "DELETE /api/2.2/jobs/list",
    "GET /api/2.0/apps", "POST /api/2.0/token/create", "GET /api/2.0/global-init-scripts"]
QUERIES = [
    ("/api/2.2/jobs/runs/get", {"run_id": "1", "include_resolved_values": "true"}),
    ("/api/2.2/jobs/runs/list", {"other": "1"}), ("/api/2.2/jobs/get", {"page_token": "a"}),
    ("/api/2.1/clusters/list", {"filter_by.cluster_sources": "JOB"}),
    ("/api/2.0/workspace/list", {"path": "/", "notebooks_modified_after": "1"}),
    ("/api/2.1/unity-catalog/tables", {"catalog_name": "dev", "schema_name": "default",
                                       "page_token": "a"})]
JOB_FIELDS: dict[str, Any] = {
    "git_source": {"git_url": "u", "git_provider": "gitHub"},
    "environment_variables": [{"key": "a"}], "unheard_of": True,
    "triggers": [{"a": 1}]}
TASK_FIELDS: dict[str, Any] = {
    **{f"{kind}_task": {"a": "b"} for kind in (
        "notebook", "python_wheel", "spark_jar", "sql", "dbt", "pipeline", "spark_submit",
        "run_job", "condition", "for_each", "dashboard", "power_bi", "clean_rooms_notebook",
        "gen_ai_compute", "dbt_cloud", "alert", "unheard_of")},
    "disabled": True, "compute": {"hardware_accelerator": "GPU_1xA10"},
    "environment_variables_key": "a", "unheard_of": 1, "libraries": [{"jar": "/a.jar"}]}
CLUSTER_FIELDS: dict[str, Any] = {
    "init_scripts": [{"workspace": {"destination": "/Shared/init.sh"}}],
    "docker_image": {"url": "u"}, "cluster_log_conf": {"dbfs": {"destination": "dbfs:/logs"}},
    "instance_pool_id": "p", "use_ml_runtime": True, "aws_attributes": {"zone_id": "auto"},
    "gcp_attributes": {"zone_id": "auto"}, "unheard_of": 1,
    "spark_env_vars": {"A": "{{secrets/scope/key}}"},
    "spark_conf": {"a": "{{secrets/scope/key}}"}}
NOW_FIELDS: dict[str, Any] = {
    "notebook_params": {"a": "b"}, "jar_params": ["a"], "sql_params": {"a": "b"},
    "python_named_params": {"a": "b"}, "spark_submit_params": ["a"], "dbt_commands": ["a"],
    "pipeline_params": {"full_refresh": True}, "unheard_of": 1}
REFERENCES = ("{{tasks.a.values.x}}", "{{tasks.a.error_code}}", "{{task.notebook_path}}",
              "{{job.trigger.file_arrival.location}}")


def refused(client: WorkspaceClient, method: str, path: str, **more: Any) -> str:
    """The words with which a call is refused."""
    with pytest.raises(NotImplemented) as found:
        client.api_client.do(method, path, **more)
    assert found.value.error_code == "NOT_IMPLEMENTED"
    return str(found.value)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_endpoint_is_refused(endpoint: str, client: WorkspaceClient) -> None:
    method, path = endpoint.split()
    assert path.rpartition("/api/")[2] in refused(client, method, path, body=(
        None if method == "GET" else {"a": 1})) or "restore" in path


@pytest.mark.parametrize(("path", "query"), QUERIES)
def test_a_query_parameter_is_refused(path: str, query: dict[str, str],
                                      client: WorkspaceClient) -> None:
    words = refused(client, "GET", path, query=query)
    assert path in words and list(query)[-1] in words


def test_a_query_parameter_that_asks_for_nothing_is_taken(client: WorkspaceClient) -> None:
    assert client.api_client.do("GET", "/api/2.1/clusters/spark-versions",
                                query={"other": "false"})


@pytest.mark.parametrize(("field", "value"), JOB_FIELDS.items())
@pytest.mark.parametrize("call", ["jobs/create", "jobs/runs/submit"])
def test_a_field_of_a_job_is_refused(field: str, value: Any, call: str,
                                     client: WorkspaceClient, saved: SavedJob) -> None:
    words = refused(client, "POST", f"/api/2.2/{call}", body={"tasks": [prints("a")],
                                                              field: value})
    assert call in words and field in words


@pytest.mark.parametrize(("field", "value"), TASK_FIELDS.items())
def test_a_field_of_a_task_is_refused(field: str, value: Any, client: WorkspaceClient,
                                      saved: SavedJob) -> None:
    for call in ("jobs/create", "jobs/runs/submit"):
        words = refused(client, "POST", f"/api/2.2/{call}", body={
            "tasks": [{**prints("a"), field: value}]})
        assert "jar" in words if field == "libraries" else field in words


@pytest.mark.parametrize(("field", "value"), CLUSTER_FIELDS.items())
def test_a_field_of_a_cluster_is_refused(field: str, value: Any, client: WorkspaceClient,
                                         saved: SavedJob) -> None:
    cluster = {**CLUSTER, field: value}
    for body in ({"tasks": [prints("a", new_cluster=cluster)]},
                 {"tasks": [prints("a", job_cluster_key="k")],
                  "job_clusters": [{"job_cluster_key": "k", "new_cluster": cluster}]}):
        assert field in refused(client, "POST", "/api/2.2/jobs/create", body=body)


@pytest.mark.parametrize(("field", "value"), NOW_FIELDS.items())
def test_a_field_of_run_now_is_refused(field: str, value: Any, client: WorkspaceClient,
                                       saved: SavedJob) -> None:
    job = saved.create(prints("a"))
    assert field in refused(client, "POST", "/api/2.2/jobs/run-now", body={
        "job_id": job, field: value})
    assert list(client.jobs.list_runs(job_id=job)) == []


@pytest.mark.parametrize("text", REFERENCES)
def test_a_reference_is_refused(text: str, client: WorkspaceClient, saved: SavedJob) -> None:
    assert text in refused(client, "POST", "/api/2.2/jobs/create",
                           body={"tasks": [prints("a", text)]})


@pytest.mark.parametrize(("call", "body"), [
    ("/api/2.1/unity-catalog/schemas", {"catalog_name": "dev", "name": "a", "comment": "b"}),
    ("/api/2.1/unity-catalog/volumes", {"catalog_name": "dev", "schema_name": "default",
                                        "name": "v", "volume_type": "EXTERNAL"}),
    ("/api/2.0/mlflow/experiments/create", {"name": "/a", "artifact_location": "dbfs:/a"}),
    ("/api/2.0/dbfs/move", {"source_path": "/a", "destination_path": "/b", "other": 1}),
    ("/api/2.0/workspace/delete", {"path": "/a", "other": 1}),
    ("/api/2.0/workspace/mkdirs", {"path": "/a", "other": 1})])
def test_a_field_elsewhere_is_refused(call: str, body: dict[str, Any],
                                      client: WorkspaceClient) -> None:
    assert refused(client, "POST", call, body=body)


@pytest.mark.parametrize("body", [
    {"tasks": "x"}, {"tasks": ["x"]}, {"tasks": [{"task_key": 1}]}, {"tasks": [prints("a")],
                                                                     "timeout_seconds": "1"},
    {"tasks": [{**prints("a"), "libraries": {"a": 1}}]}])
def test_a_value_of_another_type_is_a_malformed_request(body: dict[str, Any],
                                                        client: WorkspaceClient) -> None:
    with pytest.raises(BadRequest) as found:
        client.api_client.do("POST", "/api/2.2/jobs/create", body=body)
    assert found.value.error_code == "MALFORMED_REQUEST"


def test_an_address_outside_of_the_api_is_not_found(workspace: Workspace) -> None:
    import requests
    answer = requests.get(f"{workspace.host}/aad/auth", timeout=60)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
