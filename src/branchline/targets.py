"""targets.yml: where a run goes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from branchline.errors import BadInput

__all__ = ["Target", "read_target"]


@dataclass(frozen=True)
class Target:
    """A place that runs go to.

    Relative folders are under the repository's top. `tracking_uri` is the default only: the
    variable MLFLOW_TRACKING_URI wins.
    """

    name: str
    tracking_uri: str
    lakehouse: str
    experiment_root: str


def read_target(path: Path, name: str) -> Target:
    """The target called `name` in targets.yml.

    Raises:
        BadInput: no such target, or one with a missing or unknown key.
    """
    try:
        targets = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise BadInput(f"{path}: cannot be read: {' '.join(str(problem).split())}.") from None
    if not isinstance(targets, dict) or not isinstance(targets.get(name), dict):
        known = ", ".join(targets) if isinstance(targets, dict) else "none"
        raise BadInput(f"target {name} is not in {path.name}; found {known}.")
    expected = {setting.name for setting in fields(Target)} - {"name"}
    for key in expected - targets[name].keys():
        raise BadInput(f"{path.name}: target {name} lacks {key}.")
    for key in targets[name].keys() - expected:
        raise BadInput(f"{path.name}: target {name} has an unknown key {key}; expected "
                       f"{', '.join(sorted(expected))}.")
    return Target(name, **{key: str(value) for key, value in targets[name].items()})
