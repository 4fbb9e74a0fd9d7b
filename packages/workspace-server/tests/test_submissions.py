from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, PermissionDenied, ResourceDoesNotExist
from databricks.sdk.errors.base import DatabricksError

from runs_in_workspace import CLUSTER, HOME, Jobs
from workspace_server import Workspace
from workspace_server.clusters import INTERACTIVE, POLICY, SINGLE_NODE

SCRIPT = {"python_file": f"{HOME}/none.py"}
TASK: dict[str, Any] = {"task_key": "main", "spark_python_task": SCRIPT, "new_cluster": CLUSTER}
ML = "17.3.x-cpu-ml-scala2.13"


def cluster(**changes: Any) -> dict[str, Any]:
    return {**TASK, "new_cluster": {**CLUSTER, **changes}}


def script(**changes: Any) -> dict[str, Any]:
    return {**TASK, "spark_python_task": {**SCRIPT, **changes}}


def on(**compute: Any) -> dict[str, Any]:
    return {"task_key": "main", "spark_python_task": SCRIPT, **compute}


REFUSED = {
    "two kinds of compute": (on(new_cluster=CLUSTER, existing_cluster_id=INTERACTIVE), "only one"),
    "no compute": (on(), "environment_key is required"),
    "an unknown cluster": (on(existing_cluster_id="none"), "does not exist"),
    "an environment that is not there": (on(environment_key="none"), "not among"),
    "two sizes": (cluster(autoscale={"min_workers": 1, "max_workers": 2}), "Exactly one"),
    "a single node that is not called one": (cluster(num_workers=0), "single-node"),
    "an unknown runtime": (cluster(spark_version="99.x-scala2.13"), "Invalid spark version"),
    "an unknown machine": (cluster(node_type_id="big"), "not supported"),
    "a job cluster that ends by itself": (cluster(autotermination_minutes=10), "not supported"),
    "an unknown policy": (cluster(policy_id="none"), "does not exist"),
    "ML on a shared cluster": (cluster(spark_version=ML, data_security_mode="USER_ISOLATION"),
                               "standard access mode"),
    "a tag of other letters": (cluster(custom_tags={"branch": "fähre-⛴"}), "Latin-1"),
    "a tag key with a slash": (cluster(custom_tags={"a/b": "c"}), "not allowed"),
    "46 tags": (cluster(custom_tags={f"k{n}": "v" for n in range(46)}), "at most 45"),
    "parameters of other letters": (script(parameters=["fähre"]), "ASCII"),
    "long parameters": (script(parameters=["x" * 10_000]), "cannot exceed 10000"),
    "a relative file": (script(python_file="main.py"), "Invalid python file"),
    "a bad task key": ({**TASK, "task_key": "a b"}, "task_key"),
}


@pytest.mark.parametrize(("task", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_the_service_refuses(task: dict[str, Any], says: str, jobs: Jobs) -> None:
    with pytest.raises(InvalidParameterValue, match=says):
        jobs.post({"run_name": "refused", "tasks": [task]})


@pytest.mark.parametrize("request_", [{"idempotency_token": "t" * 65}, {"run_name": "ä" * 2049},
                                      {"timeout_seconds": -1}, {"tasks": []}])
def test_the_service_refuses_a_request_with(request_: dict[str, Any], jobs: Jobs) -> None:
    with pytest.raises(InvalidParameterValue):
        jobs.post({"tasks": [TASK], **request_})


@pytest.mark.parametrize("single", [
    {"num_workers": 0, **SINGLE_NODE},
    {"num_workers": 0, "policy_id": POLICY["policy_id"], "apply_policy_default_values": True}])
def test_a_single_node_is_taken_as_its_settings_or_its_policy_say_so(
        single: dict[str, Any], jobs: Jobs) -> None:
    run, _ = jobs.ended(int(jobs.post({"tasks": [cluster(**single)]})["run_id"]))
    assert run.status and run.status.termination_details
    code = run.status.termination_details.code
    assert code and code.value == "RESOURCE_NOT_FOUND"  # all went well until the missing script


def test_the_same_token_starts_nothing_again(workspace: Workspace, jobs: Jobs) -> None:
    body = {"tasks": [TASK], "idempotency_token": "once"}
    first = jobs.post(body)
    jobs.ended(int(first["run_id"]))
    started = workspace.clusters_started()
    assert jobs.post(body) == first
    assert workspace.clusters_started() == started


def test_a_reader_submits_nothing(workspace: Workspace) -> None:
    with pytest.raises(PermissionDenied):
        Jobs(workspace.client("reader@example.com")).post({"tasks": [TASK]})


def test_a_run_that_is_not_there_is_a_bad_parameter(client: WorkspaceClient) -> None:
    with pytest.raises(ResourceDoesNotExist, match="Run 7 does not exist"):
        client.jobs.get_run(7)


def test_output_is_a_tasks_not_a_runs(client: WorkspaceClient, jobs: Jobs) -> None:
    run, _ = jobs.ended(int(jobs.post({"tasks": [TASK]})["run_id"]))
    assert run.run_id
    with pytest.raises(DatabricksError, match="multiple tasks is not supported"):
        client.jobs.get_run_output(run.run_id)
