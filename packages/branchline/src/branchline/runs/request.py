"""The checked request for a run, and the tags of its run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from branchline.branch import Branch
from branchline.config.mlproject import Project
from branchline.config.targets import Target
from branchline.errors import BadInput
from branchline.wheels.build import install_order, version_of
from branchline.wheels.source import Source

__all__ = ["Asked", "Request", "pairs", "request", "tags"]


@dataclass(frozen=True)
class Asked:
    """What a caller asks for, not yet checked; parameters that are not given have their defaults.

    `wheels` and `live` are as in `Request`, the wheels in any order.
    """

    entry_point: str = "main"
    parameters: Mapping[str, str] = field(default_factory=dict)
    wheels: tuple[Path, ...] = ()
    live: bool = False


@dataclass(frozen=True)
class Request:
    """What to run: a project's entry point with all of its parameters, for a branch.

    With `wheels`, the project runs in a fresh environment with these, installed in this order, the
    repository's own last. Without, this machine runs the source tree, a workspace the wheels built
    from it. `live` runs the sources themselves in a workspace.
    """

    root: Path
    project: Project
    entry_point: str
    parameters: Mapping[str, str]
    branch: Branch
    wheels: tuple[Path, ...] = ()
    live: bool = False

    @property
    def command(self) -> str:
        """The entry point's command with these parameters."""
        return self.project.entry_point(self.entry_point).filled(self.parameters)


def tags(request: Request, source: Source, starter: str, backend: str) -> dict[str, str]:
    """The run's tags, by MLflow's own names where there is one."""
    version = version_of(request.wheels[-1]) if request.wheels else source.version
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


def request(root: Path, target: Target, project: Project, branch: Branch,
            asked: Asked) -> Request:
    """Check all parameters of the entry point, and make the request.

    A parameter has the given value, else the target's, else its default.

    Raises:
        BadInput: an unknown entry point or parameter, an invalid value, or wheels that do not
            belong to this repository.
    """
    wheels = install_order(asked.wheels, root) if asked.wheels else ()  # before any sign-in
    point = project.entry_point(asked.entry_point)
    of_target = {name: value for name, value in target.values(branch, root).items()
                 if name in point.parameters}
    values = point.check({**of_target, **asked.parameters}, target.location)
    return Request(root, project, asked.entry_point, values, branch, wheels, asked.live)


def pairs(given: Iterable[str]) -> dict[str, str]:
    """The parameters in `-P NAME=VALUE` options.

    Raises:
        BadInput: an option that is not a pair, or a name given twice.
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
