"""What branches have left on a workspace: experiments, schemas with their files, wheels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast, get_args

from databricks.sdk import WorkspaceClient
from mlflow import MlflowClient
from mlflow.entities import Experiment as MlflowExperiment, Run, ViewType

from branchline.branch import Branch, Kind
from branchline.config.targets import WorkspaceTarget
from branchline.deploy.journal import Journal
from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.files import destination
from branchline.runs.stale_branches import Experiment
from branchline.runs.tracking import Tracking, answered
from branchline.wheels.destinations import Destination
from branchline.wheels.publish import published, remove, unused

__all__ = ["Leftover", "experiments", "leftovers"]

ACTIVE = ("RUNNING", "SCHEDULED")


@dataclass(frozen=True)
class Leftover:
    """One thing to remove, and how."""

    what: str
    remove: Callable[[], None]


def experiments(target: WorkspaceTarget, tracking: Tracking) -> list[Experiment]:
    """All branches' experiments below the target's root, as their runs' tags tell."""
    client = tracking.client()
    pattern = f"name LIKE '{target.experiment_root}/%'"
    with answered(f"experiments below {target.experiment_root}"):
        found = client.search_experiments(view_type=ViewType.ACTIVE_ONLY, filter_string=pattern)
        return [_described(experiment, tracking) for experiment in found]


def _described(experiment: MlflowExperiment, tracking: Tracking) -> Experiment:
    runs = list(_runs(tracking.client(), experiment.experiment_id))
    tags = [run.data.tags for run in runs]
    branches = (Branch(cast(Kind, tag["branch_kind"]), tag["branch"]) for tag in tags
                if "branch" in tag and tag.get("branch_kind") in get_args(Kind))
    slug = experiment.name.rpartition("/")[2]
    return Experiment(
        experiment.experiment_id, experiment.name,
        next((branch for branch in branches if branch.slug == slug), None),
        any(run.info.status in ACTIVE for run in runs),
        frozenset(tag["wheel_version"] for tag in tags if "wheel_version" in tag))


def _runs(client: MlflowClient, experiment_id: str) -> Iterator[Run]:
    page: str | None = ""
    while page is not None:
        found = client.search_runs([experiment_id], page_token=page or None)
        yield from found
        page = found.token or None


def leftovers(target: WorkspaceTarget, client: WorkspaceClient, tracking: Tracking,
              gone: Collection[Experiment], kept: Iterable[Experiment], wheel_name: str,
              keep: int) -> Iterator[Leftover]:
    """Everything that the branches of `gone` leave, and wheels that nothing uses any more.

    Of the wheels, the newest `keep` stay, and those of runs in `kept`, of jobs and of deployments,
    to which a rollback may go.
    """
    for experiment in gone:
        yield Leftover(f"experiment {experiment.name}", partial(_delete, tracking, experiment.id))
    schemas = {target.schema_prefix + experiment.branch.schema
               for experiment in gone if experiment.branch}
    yield from _schemas(target, client, schemas)
    wheels = destination(target.wheels, client)
    used = set().union(*(experiment.wheels for experiment in kept)) | _installed_by_jobs(client)
    used |= {str(record.state.version) for record in Journal(wheel_name, wheels).all()}
    for wheel in unused(published(wheel_name, wheels), keep, used):
        yield Leftover(f"wheel {wheel.reference}", partial(remove, wheel, wheels))


def _delete(tracking: Tracking, experiment_id: str) -> None:
    with answered(f"experiment {experiment_id}"):
        tracking.client().delete_experiment(experiment_id)


def _schemas(target: WorkspaceTarget, client: WorkspaceClient,
             branches: Collection[str]) -> Iterator[Leftover]:
    """A branch's schema, those of its other data (`<schema>__<data>`), and their files."""
    with translated(f"schemas of {target.catalog}"):
        names = [schema.name or "" for schema in client.schemas.list(target.catalog)]
    files = destination(target.volume, client)
    for name in names:
        if name.partition("__")[0] in branches:
            full = f"{target.catalog}.{name}"
            yield Leftover(f"schema {full}", partial(_drop, client, full))
            if files.entries(name):
                yield Leftover(f"files {files.reference(name)}", partial(_empty, files, name))


def _drop(client: WorkspaceClient, schema: str) -> None:
    with translated(f"schema {schema}"):
        client.schemas.delete(schema, force=True)


def _empty(files: Destination, folder: str) -> None:
    for entry in files.entries(folder):
        path = f"{folder}/{entry.name}"
        _empty(files, path) if entry.folder else files.delete(path)
    files.delete_folder(folder)


def _installed_by_jobs(client: WorkspaceClient) -> set[str]:
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
