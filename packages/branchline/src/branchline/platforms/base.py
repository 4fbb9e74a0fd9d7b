"""The contract of a platform: where runs happen, and where what is deployed is scheduled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from branchline.config.deploy_file import Schedule
from branchline.config.mlproject import Project
from branchline.config.targets import Target
from branchline.runs.request import Request
from branchline.runs.stale_branches import Experiment
from branchline.runs.start import Launcher
from branchline.wheels.artifacts import Artifact
from branchline.wheels.destinations import Destination

__all__ = ["Jobs", "KeptWheels", "Leftover", "Platform", "ScheduledJob"]


@dataclass(frozen=True)
class ScheduledJob:
    """What a job is made of: `copy` is the address of its project's files, `artifacts` what its
    runs install, in that order.

    `request` has its entry point with all parameters, `experiment` is the name of its runs' one.
    """

    name: str
    request: Request
    artifacts: tuple[Artifact, ...]
    copy: str
    experiment: str
    schedule: Schedule | None
    run_as: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Leftover:
    """One thing to remove, and how."""

    what: str
    remove: Callable[[], None]


@dataclass(frozen=True)
class KeptWheels:
    """Which published wheels stay when a branch is cleaned up.

    `name` is that of the repository's own distribution in its wheel's file name, `used` are the
    versions that a run or a deployment still names, `newest` is how many of the newest stay anyway.
    """

    name: str
    used: Collection[str]
    newest: int


class Jobs(Protocol):
    """The scheduled jobs of a platform, by name.

    Every operation raises NotAllowed, Unreachable or BadInput where the platform refuses it.
    """

    def settings(self, job: ScheduledJob) -> dict[str, Any]:
        """The job as the platform keeps it, a JSON object."""

    def actual(self, name: str) -> dict[str, Any] | None:
        """The settings that the job of that name has now; None where there is none."""

    def put(self, name: str, settings: Mapping[str, Any]) -> None:
        """Make the job of that name have these settings; it is created where it is missing."""

    def remove(self, name: str) -> None:
        """Remove the job of that name where a deployment made it."""

    def run(self, name: str) -> None:
        """Run the job now, and follow it to its end.

        Raises:
            RunFailed: it ended without success.
        """


class Platform(Launcher, Protocol):
    """A target that is signed in to: it launches runs, and keeps what is deployed.

    Every operation raises NotAllowed, Unreachable or BadInput where the platform refuses it.
    """

    @property
    def address(self) -> str:
        """What a person knows it by: the workspace's address, the repository's folder."""

    @property
    def jobs(self) -> Jobs: ...

    @property
    def wheels(self) -> Destination:
        """The wheels that runs and jobs install, and the records of deployments."""

    def attach(self, run_id: str) -> None:
        """Follow a run that was submitted earlier to its end.

        Raises:
            BadInput: it was not submitted as a job.
            RunFailed, KeyboardInterrupt: as `launch`.
        """

    def releases(self, target: Target) -> Destination:
        """Where publish.py puts the releases of a target, as reached from here."""

    def project_address(self, project: Project) -> str:
        """The address of a copy of the project's files; nothing is made."""

    def copy_project(self, project: Project) -> str:
        """Make that copy, where it is missing, and return its address."""

    def leftovers(self, stale: Collection[Experiment], kept: KeptWheels) -> Iterable[Leftover]:
        """What stale branches left: experiments, tables and files, and wheels that nothing uses."""
