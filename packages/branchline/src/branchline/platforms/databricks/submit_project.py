"""Submits a project's entry point, whose files are already in the workspace."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from branchline.errors import BadInput
from branchline.platforms.databricks.project_copy import START
from branchline.platforms.databricks.run_settings import RunSettings
from branchline.platforms.databricks.submission import Script
from branchline.platforms.databricks.submit import RetryPolicy, submit
from branchline.platforms.databricks.workspace import Workspace

__all__ = ["MODELS_BY_FILES_API", "Work", "copied_script", "python_script", "send"]

# Otherwise MLflow may ask for cloud credentials, and need the libraries that use them.
MODELS_BY_FILES_API = {"MLFLOW_USE_DATABRICKS_SDK_MODEL_ARTIFACTS_REPO_FOR_UC": "true"}


@dataclass(frozen=True)
class Work:
    """An entry point to run: its script in a copy of the project, and its MLflow run.

    `copy` is the workspace folder of the project's files and start.py, `script` relative to it;
    `libraries` and `variables` are as in `request.Submission` and `request.Script`.
    """

    project: str
    copy: str
    script: str
    arguments: tuple[str, ...]
    run_id: str
    experiment_id: str
    libraries: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def python_script(command: str, project: str, entry_point: str) -> tuple[str, tuple[str, ...]]:
    """Script and arguments of an entry point's command, with the parameters filled in.

    Raises:
        BadInput: the command is not `python SCRIPT ...`.
    """
    words = shlex.split(command)
    if len(words) < 2 or words[0] not in ("python", "python3") or not words[1].endswith(".py"):
        raise BadInput(f"{project}/MLproject, entry point {entry_point}: command {command!r}; "
                       "on Databricks expected `python SCRIPT.py [argument ...]`.")
    return words[1], tuple(words[2:])


def copied_script(copy: str, script: str, arguments: tuple[str, ...],
                  variables: Mapping[str, str]) -> Script:
    """The script in a copy of its project, started by the copy's start.py."""
    return Script(f"{copy}/{START}".removeprefix("/Workspace"), f"{copy}/{script}", arguments,
                  {**variables, **MODELS_BY_FILES_API})


def send(client: Workspace, work: Work, settings: RunSettings, say: Callable[[str], None],
         retry_policy: RetryPolicy = RetryPolicy()) -> int:
    """Submit the work, once; the job run's id.

    Raises:
        BranchlineError: what `submit` raises.
        KeyboardInterrupt: interrupted; nothing goes on.
    """
    script = copied_script(work.copy, work.script, work.arguments, {
        "MLFLOW_RUN_ID": work.run_id, "MLFLOW_EXPERIMENT_ID": work.experiment_id,
        **work.variables})
    submission = settings.submission(f"{work.project} {work.run_id}", work.run_id, script,
                                     work.libraries, work.tags)
    return submit(client, submission, say, retry_policy)
