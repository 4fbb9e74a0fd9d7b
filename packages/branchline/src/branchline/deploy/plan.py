"""Plans a deployment: the new state of production, and how it differs from the current one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from branchline.branch import MAIN
from branchline.deploy import release_files
from branchline.deploy.breaking import breaking_changes
from branchline.deploy.commits import commits_between
from branchline.deploy.deployment import State
from branchline.deploy.differences import Difference, differences, drift
from branchline.deploy.planned_services import actual_manifests, manifests
from branchline.deploy.planned_state import planned_state
from branchline.deploy.production import Production
from branchline.deploy.release import Release
from branchline.errors import BadInput
from branchline.records import now
from branchline.wheels.artifacts import IMAGE

__all__ = ["chosen_release", "plan"]


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
    state = planned_state(production, release, model_name, given, current.number + 1)
    actual = {name: platform.jobs.actual(name) for name in current.state.jobs}
    recorded, found = {**current.state.jobs, **manifests(current.state)}, {
        **actual, **actual_manifests(current.state)}
    return {
        "asked_by": production.by, "at": now(), "name": journal.name, "project": journal.project,
        "target": platform.target.name, "tests": tests,
        "based_on": {"deployment": current.number,
                     "release": release_files.checksum(
                         journal.name, journal.project, release.version, production.source)},
        "release": release.as_record(), "state": asdict(state),
        **_table_changes(production, current.state.version, release),
        "changes": [asdict(each) for each in _changes(current.state, state)],
        "drift": [asdict(each) for name, settings in recorded.items()
                  for each in drift({name: settings}, {name: found[name] or {}})],
        **commits_between(production.root, current.state.commit, release.commit)}


def _changes(was: State, becomes: State) -> list[Difference]:
    found = differences({**_versions(was), "model": was.model, "table set": was.table_set},
                        {**_versions(becomes), "model": becomes.model,
                         "table set": becomes.table_set})
    before, after = {**was.jobs, **manifests(was)}, {**becomes.jobs, **manifests(becomes)}
    for name in sorted(before.keys() | after.keys()):
        if name in before and name in after:
            found += differences({name: before[name]}, {name: after[name]})
        elif name in after:
            found.append(Difference(name, None, "created"))
        else:
            found.append(Difference(name, "there", "removed"))
    return found


def _versions(state: State) -> dict[str, str]:
    return {f"{each.kind} {each.name}": each.reference if each.kind == IMAGE else each.version
            for each in state.artifacts}


def _table_changes(production: Production, version: str | None,
                   release: Release) -> dict[str, Any]:
    """The breaking changes since the release that is deployed, and why they are not known."""
    journal = production.journal
    before = release_files.look_up(journal.name, journal.project, version,
                                   production.source) if version else None
    if version is None or (before and before.tables is not None and release.tables is not None):
        was = before.tables if before else None
        return {"breaking": breaking_changes(was or (), release.tables or ()),
                "tables_unknown": None}
    unknown = version if before is None or before.tables is None else release.version
    return {"breaking": [], "tables_unknown": f"release {unknown} does not record its tables"}
