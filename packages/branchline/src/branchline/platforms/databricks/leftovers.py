"""What branches left behind in a workspace: experiments, schemas with their files, wheels."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import partial

from branchline.branch import PRODUCTION
from branchline.config.targets import WorkspaceTarget
from branchline.platforms.base import KeptWheels, Leftover
from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.files import destination
from branchline.platforms.databricks.workspace import Workspace
from branchline.runs.stale_branches import Experiment
from branchline.runs.tracking import Tracking
from branchline.table_sets import branch_schema
from branchline.wheels.destinations import Destination
from branchline.wheels.published import published, remove, unused

__all__ = ["drop_schema", "kept_tables", "leftovers"]


def leftovers(target: WorkspaceTarget, client: Workspace, tracking: Tracking,
              stale: Collection[Experiment], kept: KeptWheels) -> Iterator[Leftover]:
    """Implements `Platform.leftovers` for a workspace; wheels that its jobs use stay, too."""
    for experiment in stale:
        yield Leftover(f"experiment {experiment.name}",
                       partial(tracking.delete_experiment, experiment.id))
    schemas = {target.schema(experiment.branch) for experiment in stale if experiment.branch}
    yield from _schemas(target, client, lambda name: name.partition("__")[0] in schemas)
    wheels = destination(target.wheels, client)
    used = {*kept.used, *_installed_by_jobs(client)}
    for found in unused(published(kept.name, wheels), kept.newest, used):
        folder = f"{wheels.reference(kept.name)}/{found.version}"
        yield Leftover(f"wheels {folder}", partial(remove, found, wheels))


def drop_schema(target: WorkspaceTarget, client: Workspace, schema: str) -> None:
    """Implements `Platform.drop_schema` for a workspace."""
    for leftover in _schemas(target, client, lambda name: name == schema
                             or name.startswith(f"{schema}__")):
        leftover.remove()


def kept_tables(target: WorkspaceTarget, client: Workspace,
                table_sets: Collection[str]) -> Iterator[Leftover]:
    """Implements `Platform.kept_tables` for a workspace; a set is a schema `<schema>__<set>`."""
    production = target.schema(PRODUCTION)
    with translated(f"schemas of {target.catalog}"):
        names = [schema.name or "" for schema in client.schemas.list(target.catalog)]
        own = [name for name in names if branch_schema(name) == production]
        old = {name for name in own if name.rpartition("__")[2] in table_sets and "__" in name}
        views = [table.view_definition or "" for name in own if name not in old
                 for table in client.tables.list(target.catalog, name)] if old else []
    shown = {name for name in old if any(re.search(rf"\b{name}\b", text) for text in views)}
    yield from _schemas(target, client, (old - shown).__contains__)


def _schemas(target: WorkspaceTarget, client: Workspace,
             chosen: Callable[[str], bool]) -> Iterator[Leftover]:
    """The chosen schemas, and their files; `<schema>__<data>` are a schema's other data."""
    with translated(f"schemas of {target.catalog}"):
        names = [schema.name or "" for schema in client.schemas.list(target.catalog)]
    files = destination(target.volume, client)
    for name in names:
        if chosen(name):
            full = f"{target.catalog}.{name}"
            yield Leftover(f"schema {full}", partial(_drop, client, full))
            if files.listing(name):
                yield Leftover(f"files {files.reference(name)}", partial(_empty, files, name))


def _drop(client: Workspace, schema: str) -> None:
    with translated(f"schema {schema}"):
        client.schemas.delete(schema, force=True)


def _empty(files: Destination, folder: str) -> None:
    for file in files.listing(folder):
        path = f"{folder}/{file.name}"
        _empty(files, path) if file.folder else files.delete(path)
    files.delete_folder(folder)


def _installed_by_jobs(client: Workspace) -> set[str]:
    """Wheels that jobs name, on clusters or on serverless."""
    with translated("jobs"):
        jobs = [client.jobs.get(job.job_id or 0).settings for job in client.jobs.list()]
    found: set[str] = set()
    for settings in jobs:
        for task in (settings.tasks or []) if settings else []:
            found |= {library.whl for library in task.libraries or [] if library.whl}
        for environment in (settings.environments or []) if settings else []:
            found |= set((environment.spec.dependencies or []) if environment.spec else [])
    return found
