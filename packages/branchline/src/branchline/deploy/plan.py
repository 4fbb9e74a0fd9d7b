"""Plans a deployment: the new state of production, and how it differs from the current one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from branchline.branch import MAIN, PRODUCTION
from branchline.deploy import release_files
from branchline.deploy.commits import commits_between
from branchline.deploy.deployment import State
from branchline.deploy.differences import Difference, differences, drift
from branchline.deploy.production import Production
from branchline.deploy.release import Release
from branchline.errors import BadInput
from branchline.gate.run import COMPARE
from branchline.platforms.base import ScheduledJob
from branchline.records import now
from branchline.runs.registry import Registry
from branchline.runs.request import Asked, request as requested

__all__ = ["chosen_release", "plan"]

MODEL = "model_uri"


def chosen_release(production: Production, version: str | None, checkout: str) -> Release:
    """The release of a version, else main's newest; the checkout must be at its commit.

    Args:
        checkout: the version of the checkout's source.

    Raises:
        BadInput: there is no such release, or the checkout is at another commit.
    """
    journal, source = production.journal, production.source
    found = (release_files.look_up(journal.name, journal.project, version, source) if version
             else release_files.newest(journal.name, journal.project, MAIN.name, source))
    if found is None:
        raise BadInput(f"{source.reference(journal.name)}: has no release "
                       f"{version or 'of main'}; make one with publish.py.")
    if found.version != checkout:
        raise BadInput(f"release {found.version}: the checkout is {checkout}; jobs and project "
                       f"are taken from the checkout: check out {found.commit}, or pass --version.")
    return found


def plan(production: Production, release: Release, model_name: str, given: Mapping[str, str],
         tests: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The evidence of a deployment, a JSON object; changes nothing that is deployed.

    Args:
        model_name: the name of the project's registered model.
        given: parameters of all jobs; they override those of deploy.yml.
        tests: the tests' results, None if not given.

    Raises:
        BadInput: a job's parameters do not fit the project, or there is no model to deploy.
    """
    platform, journal = production.platform, production.journal
    current = journal.current()
    state = _state(production, release, _model(production, release, model_name), given)
    actual = {name: platform.jobs.actual(name) for name in current.state.jobs}
    return {
        "asked_by": production.by, "at": now(), "name": journal.name, "project": journal.project,
        "target": platform.target.name, "tests": tests,
        "based_on": {"deployment": current.number,
                     "release": release_files.checksum(
                         journal.name, journal.project, release.version, production.source)},
        "release": release.as_record(), "state": asdict(state),
        "changes": [asdict(each) for each in _changes(current.state, state)],
        "drift": [asdict(each) for name, settings in current.state.jobs.items()
                  for each in drift({name: settings}, {name: actual[name] or {}})],
        **commits_between(production.root, current.state.commit, release.commit)}


def _changes(was: State, becomes: State) -> list[Difference]:
    found = differences({**_versions(was), "model": was.model},
                        {**_versions(becomes), "model": becomes.model})
    for name in sorted(was.jobs.keys() | becomes.jobs.keys()):
        if name in was.jobs and name in becomes.jobs:
            found += differences({name: was.jobs[name]}, {name: becomes.jobs[name]})
        elif name in becomes.jobs:
            found.append(Difference(name, None, "created"))
        else:
            found.append(Difference(name, "there", "removed"))
    return found


def _versions(state: State) -> dict[str, str]:
    return {f"{each.kind} {each.name}": each.version for each in state.artifacts}


def _state(production: Production, release: Release, model: str | None,
           given: Mapping[str, str]) -> State:
    platform, project = production.platform, production.project
    artifacts = tuple(replace(each, reference=platform.wheels.reference(each.path)) if each.path
                      else each for each in release.artifacts)
    copy = platform.project_address(project)
    where = production.file.where(platform.target.name)
    experiment = PRODUCTION.experiment(platform.target.experiment_root, project.name)
    tags = {"project": project.name, "wheel_version": release.version, "commit": release.commit}
    jobs = {}
    for job in production.file.jobs:
        values = {**where.parameters, **job.parameters, **given,
                  **({MODEL: model} if model else {})}
        request = requested(production.root, platform.target, project, PRODUCTION,
                            Asked(job.entry_point, values))
        jobs[job.name] = platform.jobs.settings(ScheduledJob(
            job.name, request, artifacts, copy, experiment, job.schedule, where.run_as,
            tags))
    return State(release.version, release.commit, artifacts, copy, model, jobs)


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
