"""Checks a task of a request as the service does, and makes a Task of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from workspace_server.computes import Computes
from workspace_server.errors import invalid, not_emulated
from workspace_server.fields import Kinds, check_fields, malformed, objects
from workspace_server.references import check_references

DONE: Kinds = {
    "task_key": str, "spark_python_task": dict, "new_cluster": dict, "existing_cluster_id": str,
    "environment_key": str, "job_cluster_key": str, "libraries": list, "timeout_seconds": int,
    "depends_on": list, "run_if": str, "max_retries": int, "min_retry_interval_millis": int,
    "retry_on_timeout": bool}
KEPT = ("description email_notifications webhook_notifications notification_settings health "
        "disable_auto_optimization")
RUN_IF = ("ALL_SUCCESS", "ALL_DONE", "NONE_FAILED", "AT_LEAST_ONE_SUCCESS", "ALL_FAILED",
          "AT_LEAST_ONE_FAILED")
LONGEST = 10_000


@dataclass(frozen=True)
class Task:
    """One task to run. `compute` is new, existing, shared (a job cluster) or serverless.

    `version` is a spark_version key or a serverless environment version, `libraries` are wheels and
    pip requirements, `cluster` the new cluster's spec or the existing one's. `max_retries` -1 is
    unlimited. `given` is the task as in the request, for answers.
    """

    key: str
    python_file: str
    parameters: tuple[str, ...]
    compute: str
    version: str
    cluster: dict[str, Any]
    libraries: tuple[str, ...]
    timeout_seconds: int = 0
    depends_on: tuple[str, ...] = ()
    run_if: str = "ALL_SUCCESS"
    max_retries: int = 0
    retry_seconds: float = 0.0
    retry_on_timeout: bool = False
    given: dict[str, Any] = field(default_factory=dict)


def task_of(given: dict[str, Any], where: str, computes: Computes) -> Task:
    """The task that part of a request describes.

    Raises:
        ApiError: 400 as the service refuses it, 501 for what only this server lacks.
    """
    key = given["task_key"]
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", key):
        raise invalid("task_key must be 1 to 100 characters of letters, digits, - and _.")
    where = f"{where}: task {key}"
    check_fields(where, given, DONE, KEPT)
    script = given.get("spark_python_task")
    if not script:
        raise invalid(f"Task {key} has no task type: exactly one is required.")
    check_fields(f"{where}: spark_python_task", script,
                 {"python_file": str, "parameters": list, "source": str})
    compute, version, cluster = computes.of(given)
    return Task(
        key, _python_file(script), checked_parameters(script.get("parameters") or [], where),
        compute, version, cluster, computes.libraries(given, compute),
        seconds(given), tuple(objects(where, given, "depends_on", "task_key")),
        _run_if(given, where), _retries(given),
        (given.get("min_retry_interval_millis") or 0) / 1000,
        bool(given.get("retry_on_timeout")), given)


def _python_file(script: dict[str, Any]) -> str:
    path = str(script.get("python_file", ""))
    if script.get("source") == "GIT":
        raise not_emulated("spark_python_task: source GIT")
    if not re.match(r"(/|dbfs:/|s3:/|adls:/|gcs:/|abfss:/)", path):
        raise invalid(f"Invalid python file reference: {path}. Please visit the Databricks user "
                      "guide for supported python file URIs.")
    return path


def checked_parameters(found: list[Any], where: str) -> tuple[str, ...]:
    """The parameters of a script.

    Raises:
        ApiError: 400, not strings, not ASCII, too long, or an unknown reference.
    """
    if not all(isinstance(text, str) for text in found):
        raise malformed(f"{where}: parameters must be strings.")
    text = json.dumps(found, ensure_ascii=False)
    if not text.isascii():
        raise invalid(f"{where}: parameters may hold ASCII characters only.")
    if len(text) > LONGEST:
        raise invalid(f"{where}: the JSON of parameters cannot exceed {LONGEST} bytes, got "
                      f"{len(text)}.")
    for each in found:
        check_references(each, where)
    return tuple(found)


def _run_if(given: dict[str, Any], where: str) -> str:
    rule = given.get("run_if") or "ALL_SUCCESS"
    if rule not in RUN_IF:
        raise invalid(f"{where}: run_if {rule} is not one of {', '.join(RUN_IF)}.")
    for entry in given.get("depends_on") or []:
        check_fields(f"{where}: depends_on", entry, {"task_key": str})
    return str(rule)


def _retries(given: dict[str, Any]) -> int:
    retries = given.get("max_retries") or 0
    if retries < -1:
        raise invalid(f"max_retries must be -1 or more, got {retries}.")
    return int(retries)


def seconds(part: dict[str, Any]) -> int:
    """The time limit of a task or a run; 0 is none."""
    found = part.get("timeout_seconds") or 0
    if found < 0:
        raise invalid(f"timeout_seconds must be 0 or more, got {found}.")
    return int(found)
