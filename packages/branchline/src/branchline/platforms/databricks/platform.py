"""A Databricks workspace as a platform."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from branchline.branch import PRODUCTION
from branchline.config.mlproject import Project
from branchline.config.targets import Target, WorkspaceTarget
from branchline.errors import BadInput
from branchline.platforms.base import Jobs, KeptWheels, Leftover
from branchline.platforms.databricks.client import connect
from branchline.platforms.databricks.files import destination
from branchline.platforms.databricks.launch import Launch
from branchline.platforms.databricks.leftovers import drop_schema, kept_tables, leftovers
from branchline.platforms.databricks.project_copy import files_to_upload
from branchline.platforms.databricks.reach import host_of, reach
from branchline.platforms.databricks.run_settings import settings_for_target
from branchline.platforms.databricks.submit_project import MODELS_BY_FILES_API, python_script
from branchline.platforms.databricks.tracking import WorkspaceTracking
from branchline.platforms.databricks.workspace import Workspace
from branchline.platforms.project_files import address, upload
from branchline.runs.request import Request
from branchline.runs.stale_branches import Experiment
from branchline.table_sets import AREA
from branchline.text import without_credentials
from branchline.wheels.destinations import Destination
from branchline.wheels.publish import check_publishable

__all__ = ["DatabricksPlatform", "sign_in"]


def sign_in(target: WorkspaceTarget, root: Path, environment: MutableMapping[str, str],
            say: Callable[[str], None]) -> DatabricksPlatform:
    """The workspace, signed in; `environment` gets what MLflow's own clients sign in with.

    `say` is called with a line at each change of what a run is doing.

    Raises:
        PlatformError: it cannot be signed in to.
    """
    if target.profile:
        environment["DATABRICKS_CONFIG_PROFILE"] = target.profile
    if target.host:
        environment["DATABRICKS_HOST"] = target.host
    for name, value in MODELS_BY_FILES_API.items():
        environment.setdefault(name, value)
    if host := host_of(target.host, target.profile, environment):
        reach(host, say, target.connect_seconds)
    client = connect(target.profile, target.host)
    tracking = WorkspaceTracking("databricks", None, f"{client.config.host}/ml", workspace=client)
    return DatabricksPlatform(target, root, client, tracking, say)


@dataclass(frozen=True)
class DatabricksPlatform:
    """A workspace that is signed in to; `root` is the repository's top."""

    target: WorkspaceTarget
    root: Path
    client: Workspace
    tracking: WorkspaceTracking
    say: Callable[[str], None]
    backend = "databricks-jobs"

    @property
    def address(self) -> str:
        return without_credentials(self.client.config.host or "")

    @property
    def jobs(self) -> Jobs:
        from branchline.platforms.databricks.jobs import WorkspaceJobs  # with the SDK's classes
        return WorkspaceJobs(self.client, self.target, self.root, self.say)

    @property
    def wheels(self) -> Destination:
        return destination(self.target.wheels, self.client)

    @property
    def table_sets(self) -> Destination:
        folder = f"{self.target.volume}/{self.target.schema(PRODUCTION)}/{AREA}"
        return destination(folder, self.client)

    def check(self, request: Request) -> None:
        settings_for_target(self.target, request.project.folder, request.root)
        python_script(request.command, request.project.folder.name, request.entry_point)
        if not (request.wheels or request.live):
            check_publishable(request.root, self.wheels)

    def launch(self, request: Request, experiment_id: str, run_id: str, tags: Mapping[str, str],
               wait: bool) -> None:
        self._launch.launch(request, experiment_id, run_id, tags, wait)

    def attach(self, run_id: str) -> None:
        self._launch.attach(run_id)

    def releases(self, target: Target) -> Destination:
        if target.kind != "databricks":
            raise BadInput(f"deploy.yml: target {self.target.name} takes the releases of "
                           f"{target.name}, which is this machine; expected a workspace.")
        return destination(target.wheels, self.client)

    def project_address(self, project: Project) -> str:
        return address(files_to_upload(project.folder), project.name, self._copies(project))

    def copy_project(self, project: Project) -> str:
        return upload(files_to_upload(project.folder), project.name, self._copies(project))

    def kept_project(self, copy: str) -> Destination:
        return destination(copy, self.client)

    def drop_schema(self, schema: str) -> None:
        drop_schema(self.target, self.client, schema)

    def kept_tables(self, table_sets: Collection[str]) -> Iterator[Leftover]:
        return kept_tables(self.target, self.client, table_sets)

    def leftovers(self, stale: Collection[Experiment], kept: KeptWheels) -> Iterator[Leftover]:
        return leftovers(self.target, self.client, self.tracking, stale, kept)

    @property
    def _launch(self) -> Launch:
        return Launch(self.target, self.client, self.tracking, self.wheels, self.say)

    def _copies(self, project: Project) -> Destination:
        folder = settings_for_target(self.target, project.folder, self.root).folder
        assert folder
        return destination(folder, self.client)
