"""The body that is submitted, against the SDK's own dataclasses."""

from __future__ import annotations

import json
import string
from dataclasses import replace

import pytest
from databricks.sdk.service.compute import ClusterSpec
from databricks.sdk.service.jobs import JobEnvironment, SubmitTask
from hypothesis import given, strategies as st

from branchline.errors import BadInput
from branchline.platforms.databricks.submission import (Script, Submission, submit_body,
                                                        tag_value)
from support.clone import ROOT

CLUSTER = json.loads((ROOT / "cluster.json").read_text())
WHEEL = "/Volumes/dev/branchline/wheels/branchline/1.0+gabc/branchline-1.0+gabc-py3-none-any.whl"
SCRIPT = Script("/Shared/files/p/_branchline_start.py", "/Workspace/Shared/files/p/main.py",
                ("--days", "7", "--note", ""), {"MLFLOW_RUN_ID": "r1"})
ON_CLUSTER = Submission("fraud-training r1", "r1", SCRIPT, new_cluster=CLUSTER, libraries=(WHEEL,),
                        tags={"branch": "feature/ä b", "user": "a@b.c"}, timeout_seconds=60)
ON_SERVERLESS = replace(ON_CLUSTER, new_cluster=None, serverless="5")
ON_RUNNING = replace(ON_CLUSTER, new_cluster=None, existing_cluster_id="0101-000000-interact")


def task(submission: Submission) -> dict[str, object]:
    tasks = submit_body(submission)["tasks"]
    assert isinstance(tasks, list) and len(tasks) == 1
    return dict(tasks[0])


@pytest.mark.parametrize("submission", [ON_CLUSTER, ON_SERVERLESS, ON_RUNNING])
def test_the_sdks_dataclasses_lose_nothing_of_the_submit_body(submission: Submission) -> None:
    sent = task(submission)
    assert SubmitTask.from_dict(sent).as_dict() == sent
    if cluster := sent.get("new_cluster"):
        assert ClusterSpec.from_dict(cluster).as_dict() == cluster  # type: ignore[arg-type]
    for environment in submit_body(submission).get("environments", ()):
        assert JobEnvironment.from_dict(environment).as_dict() == environment


@pytest.mark.parametrize(("submission", "compute"), [
    (ON_CLUSTER, "new_cluster"), (ON_SERVERLESS, "environment_key"),
    (ON_RUNNING, "existing_cluster_id")])
def test_a_task_has_exactly_one_kind_of_compute(submission: Submission, compute: str) -> None:
    kinds = {"new_cluster", "environment_key", "existing_cluster_id"}
    assert kinds & task(submission).keys() == {compute}


def test_a_new_cluster_gets_the_run_as_variables_and_the_script_only_its_arguments() -> None:
    sent = task(ON_CLUSTER)
    assert sent["new_cluster"]["spark_env_vars"] == {"MLFLOW_RUN_ID": "r1"}  # type: ignore[index]
    assert sent["spark_python_task"] == {
        "python_file": SCRIPT.start, "parameters": ["--", SCRIPT.path, *SCRIPT.arguments]}


@pytest.mark.parametrize("submission", [ON_SERVERLESS, ON_RUNNING])
def test_elsewhere_the_run_gets_its_id_by_parameters(submission: Submission) -> None:
    parameters = task(submission)["spark_python_task"]["parameters"]  # type: ignore[index]
    assert parameters == ["MLFLOW_RUN_ID=r1", "--", SCRIPT.path, *SCRIPT.arguments]


def test_the_wheel_is_a_library_of_a_cluster_and_a_dependency_of_serverless() -> None:
    assert task(ON_CLUSTER)["libraries"] == [{"whl": WHEEL}]
    assert task(ON_RUNNING)["libraries"] == [{"whl": WHEEL}]
    assert "libraries" not in task(ON_SERVERLESS)
    assert submit_body(ON_SERVERLESS)["environments"] == [{
        "environment_key": "default",
        "spec": {"environment_version": "5", "dependencies": [WHEEL]}}]


def test_requirements_are_libraries_from_the_package_index() -> None:
    assert task(replace(ON_CLUSTER, libraries=("rich>=13",)))["libraries"] == [
        {"pypi": {"package": "rich>=13"}}]


def test_tags_of_the_cluster_file_override_others() -> None:
    tags = task(ON_CLUSTER)["new_cluster"]["custom_tags"]  # type: ignore[index]
    assert tags == {"ResourceClass": "SingleNode", "branch": "feature-b", "user": "a-b.c"}


@given(st.text())
def test_a_tag_is_valid_on_every_cloud(text: str) -> None:
    tag = tag_value(text)
    assert 0 < len(tag) <= 63
    assert set(tag) <= set(string.ascii_letters + string.digits + "._-")
    assert tag[0].isalnum() and tag[-1].isalnum()


@pytest.mark.parametrize(("arguments", "line"), [
    (("größe",), "the Jobs API takes ASCII only"),
    (("x" * 9_990,), "the Jobs API takes 10,000"),
])
def test_parameters_that_the_jobs_api_would_not_take_are_refused(
        arguments: tuple[str, ...], line: str) -> None:
    with pytest.raises(BadInput, match=line):
        submit_body(replace(ON_CLUSTER, script=replace(SCRIPT, arguments=arguments)))
