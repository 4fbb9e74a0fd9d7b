"""What runs/submit takes: a request is checked as the service does, and becomes a Work."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from workspace_server.clusters import Clusters
from workspace_server.errors import ApiError, invalid, not_emulated
from workspace_server.job_clusters import checked_cluster

PERMISSIONS = ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER")
OTHER_TASKS = ("notebook_task", "python_wheel_task", "spark_jar_task", "sql_task", "dbt_task",
               "pipeline_task", "spark_submit_task", "run_job_task")


@dataclass(frozen=True)
class Work:
    """One task to run. `compute` is new, existing or serverless.

    `version` is a spark_version key or a serverless environment version, `libraries` are wheels and
    pip requirements, `cluster` the new cluster's spec or the existing one's.
    """

    run_name: str
    task_key: str
    python_file: str
    parameters: list[str]
    compute: str
    version: str
    cluster: dict[str, Any]
    libraries: list[str]
    timeout_seconds: int
    token: str


def work_of(body: dict[str, Any], clusters: Clusters) -> Work:
    """The work that a request describes.

    Raises:
        ApiError: 400 as the service refuses it, 501 for what only this emulator lacks.
    """
    token, name = body.get("idempotency_token", ""), body.get("run_name", "Untitled")
    if len(token) > 64:
        raise invalid(f"idempotency_token must be at most 64 characters, got {len(token)}.")
    if len(name.encode()) > 4096:
        raise invalid("run_name must be at most 4096 bytes in UTF-8.")
    for entry in body.get("access_control_list", []):
        if entry.get("permission_level") not in PERMISSIONS:
            raise invalid(f"{entry.get('permission_level')} is not a permission level of a run.")
    task = _only_task(body)
    compute, version, cluster = _compute(task, body, clusters)
    script = task["spark_python_task"]
    return Work(
        name, task["task_key"], _python_file(script), _parameters(script), compute, version,
        cluster, _libraries(task, body, compute),
        _seconds(task) or _seconds(body), token)


def _only_task(body: dict[str, Any]) -> dict[str, Any]:
    tasks = body.get("tasks", [])
    if not tasks:
        raise invalid("One of tasks is required: the run has no task.")
    if len(tasks) > 1:
        raise not_emulated("a run of several tasks")
    task: dict[str, Any] = tasks[0]
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", task.get("task_key", "")):
        raise invalid("task_key must be 1 to 100 characters of letters, digits, - and _.")
    for other in OTHER_TASKS:
        if other in task:
            raise not_emulated(other)
    if "spark_python_task" not in task:
        raise invalid(f"Task {task['task_key']} has no task type: exactly one is required.")
    return task


def _compute(task: dict[str, Any], body: dict[str, Any], clusters: Clusters
             ) -> tuple[str, str, dict[str, Any]]:
    kinds = [kind for kind in ("new_cluster", "existing_cluster_id", "environment_key")
             if task.get(kind)]
    if len(kinds) > 1:
        raise invalid(f"Task {task['task_key']}: only one of {', '.join(kinds)} may be given.")
    if not kinds:
        raise invalid(f"Task {task['task_key']}: an environment_key is required for serverless "
                      "Python script tasks; or give a new_cluster or existing_cluster_id.")
    if kinds == ["new_cluster"]:
        cluster = checked_cluster(task["new_cluster"])
        return "new", cluster["spark_version"], cluster
    if kinds == ["existing_cluster_id"]:
        cluster = clusters.get(task["existing_cluster_id"])
        return "existing", cluster["spark_version"], cluster
    return "serverless", _environment(task, body)["environment_version"], {}


def _environment(task: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    specs = {each.get("environment_key"): each.get("spec", {})
             for each in body.get("environments", [])}
    if task["environment_key"] not in specs:
        raise invalid(f"environment_key {task['environment_key']} is not among environments.")
    spec: dict[str, Any] = specs[task["environment_key"]]
    version = spec.get("environment_version", spec.get("client"))
    if version not in ("1", "2", "3", "4", "5"):
        raise invalid(f"environment_version {version!r} is not supported.")
    return {**spec, "environment_version": version}


def _python_file(script: dict[str, Any]) -> str:
    path = str(script.get("python_file", ""))
    if script.get("source") == "GIT":
        raise not_emulated("source GIT")
    if not re.match(r"(/|dbfs:/|s3:/|adls:/|gcs:/|abfss:/)", path):
        raise invalid(f"Invalid python file reference: {path}. Please visit the Databricks user "
                      "guide for supported python file URIs.")
    return path


def _parameters(script: dict[str, Any]) -> list[str]:
    found = script.get("parameters", [])
    if not all(isinstance(text, str) for text in found):
        raise ApiError(400, "MALFORMED_REQUEST", "parameters must be strings.")
    text = json.dumps(found, ensure_ascii=False)
    if not text.isascii():
        raise invalid("parameters may hold ASCII characters only.")
    if len(text) > 10_000:
        raise invalid(f"The JSON of parameters cannot exceed 10000 bytes, got {len(text)}.")
    return list(found)


def _libraries(task: dict[str, Any], body: dict[str, Any], compute: str) -> list[str]:
    if compute == "serverless":
        if task.get("libraries"):
            raise invalid("Libraries field is not supported for serverless task, please specify "
                          "libraries in environment.")
        return list(_environment(task, body).get("dependencies", []))
    return [_library(library) for library in task.get("libraries", [])]


def _library(library: dict[str, Any]) -> str:
    if "pypi" in library:
        return str(library["pypi"]["package"])
    if "whl" not in library:
        raise not_emulated(f"library {', '.join(library)}")
    if not library["whl"].endswith(".whl"):
        raise invalid(f"Library {library['whl']} is not a wheel: it must end with .whl.")
    return str(library["whl"])


def _seconds(part: dict[str, Any]) -> int:
    seconds = part.get("timeout_seconds", 0)
    if not isinstance(seconds, int) or seconds < 0:
        raise invalid(f"timeout_seconds must be 0 or more, got {seconds}.")
    return seconds
