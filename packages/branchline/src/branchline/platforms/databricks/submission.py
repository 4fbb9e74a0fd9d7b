"""The body of a submission to the Jobs API: a project's script on a cluster or on serverless."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from branchline.errors import BadInput

__all__ = ["Script", "Submission", "submit_body", "tag_value"]

ENVIRONMENT = "default"
LONGEST_PARAMETERS = 10_000
LONGEST_TASK_KEY = 100
LONGEST_TAG = 63


@dataclass(frozen=True)
class Script:
    """What is started: the workspace paths of start.py and the project's script, and its arguments.

    `variables` are set before the script starts.
    """

    start: str
    path: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Submission:
    """One run to submit; `token` is the same for every attempt at submitting it.

    Exactly one of `new_cluster` (Jobs API's, as in cluster.json), `existing_cluster_id` and
    `serverless` (an environment version) is given. `libraries` are addresses of wheel files, or pip
    requirements.
    """

    name: str
    token: str
    script: Script
    new_cluster: Mapping[str, Any] | None = None
    existing_cluster_id: str | None = None
    serverless: str | None = None
    libraries: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    permissions: tuple[Mapping[str, str], ...] = ()
    timeout_seconds: int = 0


def submit_body(submission: Submission) -> dict[str, Any]:
    """The body of `jobs/runs/submit`.

    Raises:
        BadInput: the Jobs API does not take a parameter or the cluster.
    """
    body: dict[str, Any] = {
        "run_name": submission.name,
        "idempotency_token": submission.token,
        "timeout_seconds": submission.timeout_seconds,
        "tasks": [_task(submission)],
    }
    if submission.serverless:
        body["environments"] = [{"environment_key": ENVIRONMENT, "spec": {
            "environment_version": submission.serverless,
            "dependencies": list(submission.libraries)}}]
    if submission.permissions:
        body["access_control_list"] = [dict(item) for item in submission.permissions]
    return body


def _task(submission: Submission) -> dict[str, Any]:
    variables = dict(submission.script.variables)
    task: dict[str, Any] = {
        "task_key": re.sub(r"[^A-Za-z0-9_-]", "-", submission.name)[:LONGEST_TASK_KEY]}
    if submission.new_cluster is not None:
        # Only a new cluster can be given variables; elsewhere they are parameters of start.py.
        task["new_cluster"] = _cluster(submission, variables)
        variables = {}
    elif submission.serverless:
        task["environment_key"] = ENVIRONMENT
    else:
        task["existing_cluster_id"] = submission.existing_cluster_id
    if not submission.serverless and submission.libraries:
        task["libraries"] = [_library(text) for text in submission.libraries]
    task["spark_python_task"] = {"python_file": submission.script.start,
                                 "parameters": _parameters(submission.script, variables)}
    return task


def _library(text: str) -> dict[str, Any]:
    return {"whl": text} if text.endswith(".whl") else {"pypi": {"package": text}}


def _cluster(submission: Submission, variables: Mapping[str, str]) -> dict[str, Any]:
    content = dict(submission.new_cluster or {})
    tags = {name: tag_value(text) for name, text in submission.tags.items()}
    content["custom_tags"] = {**tags, **content.get("custom_tags", {})}
    content["spark_env_vars"] = {**content.get("spark_env_vars", {}), **variables}
    return content


def _parameters(script: Script, variables: Mapping[str, str]) -> list[str]:
    pairs = [f"{name}={value}" for name, value in variables.items()]
    parameters = [*pairs, "--", script.path, *script.arguments]
    for text in parameters:
        if not text.isascii():
            raise BadInput(f"parameter {text!r}: the Jobs API takes ASCII only; put such text into "
                           "a file of the project, and pass the file's name.")
    size = len(json.dumps(parameters))
    if size > LONGEST_PARAMETERS:
        raise BadInput(f"parameters: {size:,} characters as JSON; the Jobs API takes "
                       f"{LONGEST_PARAMETERS:,}. Put the long ones into a file of the project.")
    return parameters


def tag_value(text: str) -> str:
    """The text as a cluster tag that AWS, Azure and Google Cloud all take: 63 of A-Za-z0-9._-"""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:LONGEST_TAG].strip("._-") or "none"
