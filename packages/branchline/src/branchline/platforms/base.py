"""Production: where scheduled jobs are, by name, with the wheels that they are pinned to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from branchline.branch import Branch
from branchline.config.deploy_file import Schedule
from branchline.config.mlproject import Project
from branchline.config.targets import Target
from branchline.platforms.local.launch import Request
from branchline.runs.start import LocalPlatform, Platform
from branchline.runs.tracking import Tracking
from branchline.wheels.destinations import Destination

__all__ = ["PRODUCTION", "Production", "ScheduledJob", "production_at"]

PRODUCTION = Branch("branch", "production")  # its experiment and schema are those of a branch


@dataclass(frozen=True)
class ScheduledJob:
    """What a job is made of: `copy` is the address of its project's files, `wheel` the wheel's.

    `request` has its entry point with all parameters, `experiment` is the name of its runs' one.
    """

    name: str
    request: Request
    wheel: str
    copy: str
    experiment: str
    schedule: Schedule | None
    run_as: str | None
    tags: Mapping[str, str]


class Production(Protocol):
    """What every production can do.

    Every operation raises NotAllowed, Unreachable or BadInput where the place refuses it.
    """

    @property
    def target(self) -> Target: ...

    @property
    def tracking(self) -> Tracking: ...

    @property
    def wheels(self) -> Destination:
        """The wheels that jobs are pinned to, and the records of deployments."""

    def releases(self, target: Target) -> Destination:
        """Where publish.py puts the releases of a target, as reached from here."""

    def project_address(self, project: Project) -> str:
        """The address of a copy of the project's files; nothing is made."""

    def copy_project(self, project: Project) -> str:
        """Make that copy, where it is missing, and return its address."""

    def settings(self, job: ScheduledJob) -> dict[str, Any]:
        """The job as the place keeps it, a JSON object."""

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


def production_at(place: Platform, root: Path) -> Production:
    """The production that a target's place is."""
    if isinstance(place, LocalPlatform):
        from branchline.platforms.local.jobs import LocalProduction
        return LocalProduction(place, root)
    from branchline.platforms.databricks.jobs import WorkspaceProduction
    return WorkspaceProduction(place, root)
