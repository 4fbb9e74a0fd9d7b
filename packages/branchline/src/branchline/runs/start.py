"""What triggers have in common: from a project's name on the command line to a run at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from branchline.branch import Branch
from branchline.ci.identify import started_by
from branchline.config.mlproject import Project
from branchline.config.targets import LocalTarget, Target
from branchline.errors import BadInput, RunFailed
from branchline.platforms.local import launch
from branchline.platforms.local.launch import Request
from branchline.runs import summary, tracking
from branchline.runs.tracking import Tracking
from branchline.signals import deferred, interruptible
from branchline.wheels import source
from branchline.wheels.build import version_of

if TYPE_CHECKING:
    from branchline.platforms.databricks.platform import DatabricksPlatform

__all__ = ["LocalPlatform", "Platform", "pairs", "platform_of", "request", "start"]


@dataclass(frozen=True)
class LocalPlatform:
    """This machine, and the store that its runs are tracked in."""

    target: LocalTarget
    tracking: Tracking
    backend = "local"

    def launch(self, asked: Request, experiment_id: str, run_id: str, tags: Mapping[str, str],
               wait: bool) -> None:
        launch.launch(asked, self.tracking, experiment_id, run_id)


Platform: TypeAlias = "LocalPlatform | DatabricksPlatform"


def platform_of(target: Target, root: Path, environment: MutableMapping[str, str]) -> Platform:
    """Where a target's runs are started and tracked.

    Raises:
        PlatformError: a workspace that cannot be signed in to.
    """
    if isinstance(target, LocalTarget):
        return LocalPlatform(target, tracking.connect(target, root, environment))
    from branchline.platforms.databricks import platform as remote
    return remote.sign_in(target, environment, summary.narrator())


def request(root: Path, target: Target, project: Project, entry_point: str,
            given: Mapping[str, str], branch: Branch, wheel: Path | None = None,
            live: bool = False) -> Request:
    """What is to be run: `given` and the target's parameters checked, all others by default.

    Raises:
        BadInput: an unknown entry point or parameter, a value that does not fit, no such wheel.
    """
    if wheel:
        version_of(wheel)  # refused here, before anything is signed in to
    point = project.entry_point(entry_point)
    places = {name: value for name, value in target.values(branch, root).items()
              if name in point.parameters}
    values = point.check({**places, **given}, isinstance(target, LocalTarget))
    return Request(root, project, entry_point, values, branch, wheel, live)


def start(place: Platform, asked: Request, environment: Mapping[str, str],
          wait: bool = True) -> str:
    """Start the run in the branch's experiment, and follow it to its end if `wait`; its id.

    Raises:
        RunFailed: it ended without success; it knows the run's id.
    """
    tags = launch.tags(asked, source.source_of(asked.root), started_by(environment),
                       place.backend)
    experiment = asked.branch.experiment(place.target.experiment_root, asked.project.name)
    experiment_id = place.tracking.experiment(experiment)
    with _opened(place.tracking, asked, experiment_id, tags) as run_id:
        summary.show_start(asked, place.target.name, experiment, run_id)
    try:
        place.launch(asked, experiment_id, run_id, tags, wait)
    except RunFailed as problem:
        problem.run_id = run_id
        raise
    return run_id


@contextmanager
def _opened(tracking: Tracking, asked: Request, experiment_id: str,
            tags: Mapping[str, str]) -> Iterator[str]:
    """A new run; Ctrl-C or SIGTERM in the block, or while it is made, leave it KILLED."""
    run_id = None
    try:
        with interruptible():
            with deferred():
                run_id = tracking.start(experiment_id, asked.entry_point, tags, asked.parameters)
            yield run_id
    except KeyboardInterrupt:
        if run_id:
            tracking.end(run_id, "KILLED")
        raise


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
