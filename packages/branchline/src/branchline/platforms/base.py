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
    """What a job is made of.

    `copy` is the address of the project's files, `artifacts` what the runs install, in that order.
    `request` has the entry point with all parameters, `experiment` names the runs' experiment.
    A `continuous` job is started again whenever a run of it ends.
    """

    name: str
    request: Request
    artifacts: tuple[Artifact, ...]
    copy: str
    experiment: str
    schedule: Schedule | None
    run_as: str | None
    tags: Mapping[str, str]
    continuous: bool = False


@dataclass(frozen=True)
class Leftover:
    """One thing to remove, and how."""

    what: str
    remove: Callable[[], None]


@dataclass(frozen=True)
class KeptWheels:
    """Which published wheels stay when a branch is cleaned up.

    `name` is the repository's own distribution, as in its wheel's file name. `used` are the
    versions that a run or a deployment still names. The `newest` wheels stay in any case.
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
        """The current settings of the job called `name`; None if there is none."""

    def put(self, name: str, settings: Mapping[str, Any]) -> None:
        """Give the job called `name` these settings; create it if it is missing."""

    def remove(self, name: str) -> None:
        """Remove the job called `name` if a deployment created it."""

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
        """The name that people know it by: the workspace's address, or the repository's folder."""

    @property
    def jobs(self) -> Jobs: ...

    @property
    def wheels(self) -> Destination:
        """The wheels that runs and jobs install, and the records of deployments."""

    @property
    def table_sets(self) -> Destination:
        """The manifests of production's table sets, where production's runs find them."""

    def attach(self, run_id: str) -> None:
        """Follow a run that was submitted earlier to its end.

        Raises:
            BadInput: it was not submitted as a job.
            RunFailed, KeyboardInterrupt: as `launch`.
        """

    def releases(self, target: Target) -> Destination:
        """Where publish.py puts a target's releases, as this machine reaches it."""

    def project_address(self, project: Project) -> str:
        """The address that a copy of the project's files has; nothing is uploaded."""

    def copy_project(self, project: Project) -> str:
        """Upload that copy if it is missing; its address."""

    def kept_project(self, copy: str) -> Destination:
        """The files of a project's copy, by the address that `copy_project` returned."""

    def drop_schema(self, schema: str) -> None:
        """Remove a schema with its tables and files, and those of its other data."""

    def kept_tables(self, table_sets: Collection[str]) -> Iterable[Leftover]:
        """The tables that there are of these sets, in production's schema and those of its other
        data; none that a view shows.
        """

    def leftovers(self, stale: Collection[Experiment], kept: KeptWheels) -> Iterable[Leftover]:
        """What stale branches left behind: experiments, tables, files, and unused wheels."""
