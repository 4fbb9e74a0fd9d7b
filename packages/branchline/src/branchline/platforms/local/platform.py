"""This machine as a platform: projects run as processes, jobs are kept as files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree

from branchline.branch import PRODUCTION
from branchline.config.mlproject import Project
from branchline.config.targets import LocalTarget, Target
from branchline.errors import BadInput
from branchline.platforms.base import KeptWheels, Leftover
from branchline.platforms.local import launch
from branchline.platforms.local.jobs import FOLDER, LocalJobs
from branchline.platforms.local.table_sets import kept_tables
from branchline.platforms.project_files import address, files_of, upload
from branchline.runs.orphans import end_orphans
from branchline.runs.request import Request
from branchline.runs.stale_branches import Experiment
from branchline.runs.tracking import Tracking, connect
from branchline.table_sets import AREA
from branchline.wheels.destinations import Destination, LocalFolder
from branchline.wheels.published import published, remove, unused
from branchline.wheels.uv import find_uv

__all__ = ["LocalPlatform"]


@dataclass(frozen=True)
class LocalPlatform:
    """This machine and its tracking store; `root` is the repository's top."""

    target: LocalTarget
    root: Path
    tracking: Tracking
    backend = "local"

    @classmethod
    def connect(cls, target: LocalTarget, root: Path,
                environment: Mapping[str, str]) -> LocalPlatform:
        """The platform, with the store from the variables, else from the target."""
        return cls(target, root, connect(target.tracking_uri, root, environment))

    @property
    def address(self) -> str:
        return str(self.root)

    @property
    def jobs(self) -> LocalJobs:
        return LocalJobs(self, self.root)

    @property
    def wheels(self) -> Destination:
        return LocalFolder(self.root / FOLDER / "wheels")

    @property
    def table_sets(self) -> Destination:
        values = self.target.values(PRODUCTION, self.root)
        return LocalFolder(Path(values["lakehouse"], values["schema"], f"_{AREA}"))

    def check(self, request: Request) -> None:
        if request.wheels:
            find_uv(request.root)

    def launch(self, request: Request, experiment_id: str, run_id: str, tags: Mapping[str, str],
               wait: bool) -> None:
        end_orphans(self.tracking, experiment_id, run_id)
        launch.launch(request, self.tracking, experiment_id, run_id)

    def attach(self, run_id: str) -> None:
        raise BadInput(f"run {run_id}: target {self.target.name} is this machine, where a run "
                       "ends with its command; expected a workspace.")

    def releases(self, target: Target) -> Destination:
        if not target.is_here:
            raise BadInput(f"deploy.yml: target {self.target.name} takes the releases of "
                           f"{target.name}, a workspace; expected a target of this machine.")
        return self.wheels

    def project_address(self, project: Project) -> str:
        return address(files_of(project.folder), project.name, self._copies)

    def copy_project(self, project: Project) -> str:
        return upload(files_of(project.folder), project.name, self._copies)

    def kept_project(self, copy: str) -> Destination:
        return LocalFolder(Path(copy))

    def drop_schema(self, schema: str) -> None:
        for folder in (self.root / self.target.lakehouse).glob(f"{schema}*"):
            if folder.name == schema or folder.name.startswith(f"{schema}__"):
                rmtree(folder)

    def kept_tables(self, table_sets: Collection[str]) -> Iterator[Leftover]:
        values = self.target.values(PRODUCTION, self.root)
        return kept_tables(Path(values["lakehouse"]), values["schema"], table_sets)

    def leftovers(self, stale: Collection[Experiment], kept: KeptWheels) -> Iterator[Leftover]:
        for experiment in stale:
            yield Leftover(f"experiment {experiment.name}",
                           partial(self.tracking.delete_experiment, experiment.id))
        schemas = {experiment.branch.schema for experiment in stale if experiment.branch}
        for folder in sorted((self.root / self.target.lakehouse).glob("*")):
            if folder.name.partition("__")[0] in schemas:
                yield Leftover(f"tables {folder}", partial(rmtree, folder))
        for found in unused(published(kept.name, self.wheels), kept.newest, kept.used):
            wheels = f"{self.wheels.reference(kept.name)}/{found.version}"
            yield Leftover(f"wheels {wheels}", partial(remove, found, self.wheels))

    @property
    def _copies(self) -> Destination:
        return LocalFolder(self.root / FOLDER)
