"""Where a workspace keeps the files of runs, and their compute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from branchline.config.kafka_file import secret_variables
from branchline.config.targets import SERVERLESS, WorkspaceTarget
from branchline.errors import BadInput
from branchline.platforms.databricks.cluster_spec import cluster_spec
from branchline.platforms.databricks.submission import Script, Submission
from branchline.text import collapsed

__all__ = ["RunSettings", "settings_for_config", "settings_for_target"]

OURS = ("new_cluster", "existing_cluster_id", "serverless", "folder", "wheels", "tags",
        "permissions", "timeout_minutes")
COMPUTE = OURS[:3]


@dataclass(frozen=True)
class RunSettings:
    """`folder` holds project files, `wheels` the wheels (None: `wheels` in the folder).

    Exactly one of the three kinds of compute is given, as in `request.Submission`.
    """

    folder: str | None
    wheels: str | None
    new_cluster: Mapping[str, Any] | None = None
    existing_cluster_id: str | None = None
    serverless: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    permissions: tuple[Mapping[str, str], ...] = ()
    timeout_seconds: int = 0

    def submission(self, name: str, token: str, script: Script, libraries: tuple[str, ...],
                   tags: Mapping[str, str]) -> Submission:
        """A run of the script with these settings; its own tags override theirs."""
        return Submission(
            name, token, script, self.new_cluster, self.existing_cluster_id, self.serverless,
            libraries, {**self.tags, **tags}, self.permissions, self.timeout_seconds)


def settings_for_target(target: WorkspaceTarget, project: Path, root: Path) -> RunSettings:
    """The settings of a target; a cluster file in the project's folder overrides the root's.

    Raises:
        BadInput: the cluster file is missing, or is not a job cluster.
    """
    compute = target.compute
    cluster = _cluster_file(compute.cluster, project, root) if compute.cluster else None
    if cluster is not None and compute.policy_id:
        cluster = {**cluster, "policy_id": compute.policy_id, "apply_policy_default_values": True}
    if cluster is not None and (secrets := secret_variables(target.kafka)):
        cluster = {**cluster, "spark_env_vars": {**cluster.get("spark_env_vars", {}), **secrets}}
    return RunSettings(
        f"/Workspace{target.experiment_root}/_files", target.wheels, cluster,
        compute.existing_cluster_id, compute.serverless, target.tags, target.permissions,
        target.timeout_minutes * 60)


def settings_for_config(config: Mapping[str, Any]) -> RunSettings:
    """The settings of an MLflow `backend_config`: a job cluster as in cluster.json, or our keys.

    Our keys are one of new_cluster, existing_cluster_id and serverless, and folder, wheels, tags,
    permissions, timeout_minutes.

    Raises:
        BadInput: no compute or more than one, an unknown key, an invalid cluster.
    """
    given = {key: value for key, value in config.items() if key not in _mlflows()}
    kinds = [kind for kind in COMPUTE if kind in given]
    if not kinds and given.keys().isdisjoint(OURS):
        return RunSettings(None, None, cluster_spec(given, "backend_config"))
    unknown = given.keys() - set(OURS)
    if unknown or len(kinds) != 1:
        raise BadInput(f"backend_config: found {', '.join(given) or 'nothing'}; expected the "
                       f"fields of a job cluster, or one of {', '.join(COMPUTE)} and some of "
                       f"{', '.join(OURS[3:])}.")
    cluster = given.get("new_cluster")
    return RunSettings(
        given.get("folder"), given.get("wheels"),
        cluster_spec(cluster, "backend_config") if cluster is not None else None,
        given.get("existing_cluster_id"),
        str(given["serverless"] or SERVERLESS) if "serverless" in given else None,
        given.get("tags", {}), tuple(given.get("permissions", ())),
        int(given.get("timeout_minutes", 0)) * 60)


def _mlflows() -> set[str]:
    """What MLflow itself adds to each backend's config."""
    from mlflow.projects import utils
    return {utils.PROJECT_BUILD_IMAGE, utils.PROJECT_DOCKER_ARGS, utils.PROJECT_DOCKER_AUTH,
            utils.PROJECT_ENV_MANAGER, utils.PROJECT_STORAGE_DIR, utils.PROJECT_SYNCHRONOUS}


def _cluster_file(name: str, project: Path, root: Path) -> Mapping[str, Any]:
    path = project / name if (project / name).exists() else root / name
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_object,
                             parse_constant=_no_number)
    except RecursionError:
        raise BadInput(f"{path.name}: is nested too deeply to be a job cluster.") from None
    except (OSError, ValueError) as problem:
        raise BadInput(f"{path.name}: cannot be read as JSON: "
                       f"{collapsed(problem)}.") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path.name}: holds a {type(content).__name__}; expected an object with "
                       "the fields of a job cluster.")
    return cluster_spec(content, path.name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"field {name!r} is given twice; keep one of them")
        found[name] = value
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")
