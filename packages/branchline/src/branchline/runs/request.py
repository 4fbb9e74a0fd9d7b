"""What is to be run, checked, and the tags by which its run is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from branchline.branch import Branch
from branchline.config.mlproject import Project
from branchline.config.targets import Target
from branchline.errors import BadInput
from branchline.wheels import build as wheels
from branchline.wheels.source import Source

__all__ = ["Request", "pairs", "request", "tags"]


@dataclass(frozen=True)
class Request:
    """What is to be run: a project's entry point with all of its parameters, for a branch.

    `wheel` runs the project in a fresh environment with that wheel; None runs the source tree here,
    and on a platform the wheel of the source tree. `live` runs the sources themselves there.
    """

    root: Path
    project: Project
    entry_point: str
    parameters: Mapping[str, str]
    branch: Branch
    wheel: Path | None = None
    live: bool = False

    @property
    def command(self) -> str:
        """The entry point's command with these parameters."""
        return self.project.entry_point(self.entry_point).filled(self.parameters)


def tags(request: Request, source: Source, starter: str, backend: str) -> dict[str, str]:
    """The run's tags, by MLflow's own names where it has one."""
    version = wheels.version_of(request.wheel) if request.wheel else source.version
    ours = {
        "branch": request.branch.name,
        "branch_kind": request.branch.kind,
        "commit": source.commit or "none",
        "dirty": str(source.dirty).lower(),
        "wheel_version": version,
        "project": request.project.name,
        "started_by": starter,
        "mlflow.user": starter,
        "mlflow.source.type": "PROJECT",
        "mlflow.source.name": f"{request.project.folder.parent.name}/{request.project.name}",
        "mlflow.project.entryPoint": request.entry_point,
        "mlflow.project.backend": backend,
    }
    return ours | ({"mlflow.source.git.commit": source.commit} if source.commit else {})


def request(root: Path, target: Target, project: Project, entry_point: str,
            given: Mapping[str, str], branch: Branch, wheel: Path | None = None,
            live: bool = False) -> Request:
    """What is to be run: `given` and the target's parameters checked, all others by default.

    Raises:
        BadInput: an unknown entry point or parameter, a value that does not fit, no such wheel.
    """
    if wheel:
        wheels.version_of(wheel)  # refused here, before anything is signed in to
    point = project.entry_point(entry_point)
    places = {name: value for name, value in target.values(branch, root).items()
              if name in point.parameters}
    values = point.check({**places, **given}, target.location)
    return Request(root, project, entry_point, values, branch, wheel, live)


def pairs(given: Iterable[str]) -> dict[str, str]:
    """The parameters in `-P NAME=VALUE` options.

    Raises:
        BadInput: one that is no pair, or a name given twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadInput(f"-P {text}: expected NAME=VALUE.")
        if name in found:
            raise BadInput(f"-P {name}: given twice.")
        found[name] = value
    return found
