"""The state of production that a release would make: artifacts, model, tables, jobs, services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from branchline.branch import PRODUCTION
from branchline.config.deploy_file import Job
from branchline.deploy.deployment import State
from branchline.deploy.planned_services import planned_services
from branchline.deploy.production import Production
from branchline.deploy.release import Release
from branchline.errors import BadInput
from branchline.gate.run import COMPARE
from branchline.platforms.base import ScheduledJob
from branchline.runs.registry import Registry
from branchline.runs.request import Asked, request as requested
from branchline.table_sets import READERS, set_name
from branchline.wheels.artifacts import IMAGE

__all__ = ["planned_state"]

MODEL, TABLE_SET = "model_uri", "table_set"
PLACE = ("lakehouse", "schema", "files")


def planned_state(production: Production, release: Release, model_name: str,
                  given: Mapping[str, str], number: int) -> State:
    """The state after the deployment of this number.

    Args:
        model_name: the name of the project's registered model.
        given: parameters of all jobs; they override those of deploy.yml.

    Raises:
        BadInput: a job's parameters do not fit the project, or there is no model to deploy.
    """
    platform, project = production.platform, production.project
    model = _model(production, release, model_name)
    artifacts = tuple(replace(each, reference=platform.wheels.reference(each.path)) if each.path
                      else each for each in release.artifacts)
    state = State(release.version, release.commit, artifacts, platform.project_address(project),
                  model, {}, *_tables(production, release, number))
    further = {**given, **({MODEL: model} if model else {}),
               **({TABLE_SET: state.table_set} if state.table_set else {})}
    jobs = {job.name: _settings(production, job, {**job.parameters, **further}, state)
            for job in production.file.jobs}
    if state.table_set and not platform.target.is_here:
        if production.readers_job in jobs:
            raise BadInput(f"deploy.yml: job {production.readers_job}: this name is that of the "
                           "job that moves the readers' views; expected another.")
        jobs[production.readers_job] = _settings(
            production, Job(production.readers_job, READERS), further, state)
    return replace(state, jobs=jobs, services=planned_services(production, release))


def _settings(production: Production, job: Job, values: Mapping[str, str],
              state: State) -> dict[str, Any]:
    platform, project = production.platform, production.project
    where = production.file.where(platform.target.name)
    values = {**where.parameters, **values}
    for name in PLACE:
        if state.table_set and name in values:
            raise BadInput(f"job {job.name}: parameter {name} is {values[name]}; expected none: "
                           "readers look for versioned tables where targets.yml has them.")
    experiment = PRODUCTION.experiment(platform.target.experiment_root, project.name)
    tags = {"project": project.name, "wheel_version": str(state.version),
            "commit": str(state.commit)}
    installed = tuple(each for each in state.artifacts if each.kind != IMAGE)
    request = requested(production.root, platform.target, project, PRODUCTION,
                        Asked(job.entry_point, values))
    return platform.jobs.settings(ScheduledJob(
        job.name, request, installed, str(state.copy), experiment, job.schedule,
        where.run_as, tags, job.continuous))


def _tables(production: Production, release: Release,
            number: int) -> tuple[str | None, tuple[str, ...]]:
    """The table set of the deployment with this number, and the tables in it."""
    names = tuple(table["name"] for table in release.tables or () if table["versioned"])
    points = [production.project.entry_point(job.entry_point) for job in production.file.jobs]
    if not names or any(TABLE_SET not in point.parameters for point in points):
        return None, ()
    return set_name(production.project.name, number), names


def _model(production: Production, release: Release, name: str) -> str | None:
    """The address of the model to deploy: the release's own, else the platform's champion."""
    if COMPARE not in production.project.entry_points:
        return None
    if release.model:
        return release.model
    champion = Registry(production.platform.tracking).champion(name)
    if champion is None:
        raise BadInput(f"release {release.version}: no model was registered from its run, and "
                       f"{name} has no champion; expected gate.py on main to pass one first.")
    return champion.uri
