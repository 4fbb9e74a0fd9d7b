"""Plans a deployment: what production would be, how that differs from what it is, the proofs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from branchline.branch import MAIN, PRODUCTION
from branchline.config.deploy_file import DeployFile
from branchline.config.mlproject import Project
from branchline.deploy import release as releases
from branchline.deploy.differences import Difference, differences, drift
from branchline.deploy.journal import Journal, State
from branchline.deploy.release import Release
from branchline.errors import BadInput
from branchline.gate.run import COMPARE
from branchline.git import git, is_own_checkout
from branchline.platforms.base import Platform, ScheduledJob
from branchline.runs.registry import Registry
from branchline.runs.request import request as requested
from branchline.wheels.destinations import Destination

__all__ = ["Asked", "chosen_release", "commits_between", "plan"]

MODEL = "model_uri"
COMMITS = 50  # that the evidence lists


@dataclass(frozen=True)
class Asked:
    """Who plans from which checkout; `given` are parameters that go before those of deploy.yml,
    `tests` what the tests said, None where that was not given."""

    root: Path
    by: str
    given: Mapping[str, str]
    tests: Mapping[str, Any] | None = None


def chosen_release(journal: Journal, source: Destination, version: str | None,
                   checkout: str) -> Release:
    """The release of a version, else the newest of main; the checkout must be that commit.

    Args:
        checkout: the version that the checkout's source has.

    Raises:
        BadInput: there is no such release, or the checkout is another commit.
    """
    found = (releases.look_up(journal.name, journal.project, version, source) if version
             else releases.newest(journal.name, journal.project, MAIN.name, source))
    if found is None:
        raise BadInput(f"{source.reference(journal.name)}: has no release "
                       f"{version or 'of main'}; publish.py makes one.")
    if found.version != checkout:
        raise BadInput(f"release {found.version}: the checkout is {checkout}; jobs and project are "
                       f"those of the release: check out {found.commit}, or pass --version.")
    return found


def plan(platform: Platform, journal: Journal, file: DeployFile, project: Project,
         release: Release, source: Destination, model: str, asked: Asked) -> dict[str, Any]:
    """The evidence of a deployment, a JSON object; nothing of what is deployed is changed.

    Args:
        source: where the release is published.
        model: the name of the project's registered model.

    Raises:
        BadInput: a job's parameters do not fit the project, or there is no model to deploy.
    """
    in_place = journal.in_place()
    state = _state(platform, file, project, release, _model(platform, project, release, model),
                   asked)
    now_there = {name: platform.jobs.actual(name) for name in in_place.state.jobs}
    return {
        "asked_by": asked.by, "at": releases.now(), "name": journal.name,
        "project": journal.project,
        "target": platform.target.name, "tests": asked.tests,
        "based_on": {"deployment": in_place.number,
                     "release": releases.checksum(
                         journal.name, journal.project, release.version, source)},
        "release": release.as_record(), "state": asdict(state),
        "changes": [asdict(each) for each in _changes(in_place.state, state)],
        "drift": [asdict(each) for name, settings in in_place.state.jobs.items()
                  for each in drift({name: settings}, {name: now_there[name] or {}})],
        **commits_between(asked.root, in_place.state.commit, release.commit)}


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


def _state(platform: Platform, file: DeployFile, project: Project, release: Release,
           model: str | None, asked: Asked) -> State:
    artifacts = tuple(replace(each, reference=platform.wheels.reference(each.path)) if each.path
                      else each for each in release.artifacts)
    copy = platform.project_address(project)
    where = file.where(platform.target.name)
    experiment = PRODUCTION.experiment(platform.target.experiment_root, project.name)
    tags = {"project": project.name, "wheel_version": release.version, "commit": release.commit}
    jobs = {}
    for job in file.jobs:
        given = {**where.parameters, **job.parameters, **asked.given,
                 **({MODEL: model} if model else {})}
        request = requested(asked.root, platform.target, project, job.entry_point,
                            given, PRODUCTION)
        jobs[job.name] = platform.jobs.settings(ScheduledJob(
            job.name, request, artifacts, copy, experiment, job.schedule, where.run_as,
            tags))
    return State(release.version, release.commit, artifacts, copy, model, jobs)


def _model(platform: Platform, project: Project, release: Release, name: str) -> str | None:
    """The address of the model to deploy: the release's own, else the one that is in platform."""
    if COMPARE not in project.entry_points:
        return None
    if release.model:
        return release.model
    champion = Registry(platform.tracking).champion(name)
    if champion is None:
        raise BadInput(f"release {release.version}: no model was registered from its run, and "
                       f"{name} has no champion; expected gate.py on main to pass one first.")
    return champion.uri


def _is_top(root: Path) -> bool:
    return git(root, "rev-parse", "--show-prefix") == b"\n"


def commits_between(root: Path, first: str | None, last: str) -> dict[str, Any]:
    """The commits that come with the release, the newest first, and why some are not listed."""
    if not is_own_checkout(root):
        return {"commits": [], "commits_missing": "this is no git checkout"}
    found = git(root, "log", f"--max-count={COMMITS}", "--format=%h %s",
                f"{first}..{last}" if first else last, *([] if _is_top(root) else ["--", "."]))
    shallow = git(root, "rev-parse", "--is-shallow-repository") == b"true\n"
    missing = None
    if shallow:
        missing = ("this is a shallow clone, which has not the whole history; fetch it with `git "
                   "fetch --unshallow`, or fetchDepth: 0 in CI")
    elif found is None:
        missing = f"this checkout has not the commit {first or last}"
    lines = (found or b"").decode(errors="replace").splitlines()
    return {"commits": lines, "commits_missing": missing}
