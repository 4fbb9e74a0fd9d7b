"""A project's production: what the deploy commands and functions work on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from branchline.config.deploy_file import DeployFile
from branchline.config.mlproject import Project
from branchline.config.targets import Target
from branchline.deploy.journal import Journal
from branchline.platforms.base import Platform
from branchline.table_sets import READERS, TableSets, project_of, set_name
from branchline.wheels.destinations import Destination

__all__ = ["Production"]


@dataclass(frozen=True)
class Production:
    """Where a project is deployed: `root` is the checkout, `file` its deploy.yml.

    `releasing` is the target whose releases are deployed, `by` the person or pipeline at work.
    """

    root: Path
    file: DeployFile
    project: Project
    platform: Platform
    releasing: Target
    journal: Journal
    by: str

    @property
    def table_sets(self) -> TableSets:
        """The project's table sets, which the jobs write."""
        project = project_of(set_name(self.project.name, 0))
        return TableSets(self.platform.table_sets, project)

    @property
    def readers_job(self) -> str:
        """The job that moves the views of a catalog's readers."""
        return f"{self.project.name}-{READERS}"

    @property
    def clusters(self) -> tuple[str, ...]:
        """Where services are deployed, in order; the last one is production's own."""
        return self.file.where(self.platform.target.name).clusters

    @property
    def source(self) -> Destination:
        """Where the releases are published."""
        return self.platform.releases(self.releasing)
