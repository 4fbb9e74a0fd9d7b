"""Makes production what was approved, or what it was before; run again, it ends what it began."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from branchline.branch import PRODUCTION
from branchline.config.mlproject import Project
from branchline.deploy import release as releases
from branchline.deploy.journal import Journal, Record, State
from branchline.errors import BadInput, BranchlineError, NotApproved
from branchline.platforms.base import Platform
from branchline.runs.registry import CHAMPION, Registry
from branchline.wheels.artifacts import WHEEL, Artifact
from branchline.wheels.destinations import Destination
from branchline.wheels.publish import publish, verified

__all__ = ["apply", "require_finished", "rollback"]

Say = Callable[[str], None]


def apply(platform: Platform, journal: Journal, evidence: Mapping[str, Any], checksum: str,
          project: Project, source: Destination, by: str, say: Say) -> Record:
    """Deploy what the evidence with this checksum says; nothing, where that has been done.

    Args:
        source: where the release is published.

    Raises:
        NotApproved: what the evidence was based on has changed, or another deployment goes before.
        BadInput: a wheel is not what was published.
        BranchlineError: what the platform raises; the text says what to run again.
    """
    newest = journal.newest()
    state = State.of_record(evidence["state"])
    if newest and newest.evidence == checksum:
        if newest.finished:
            say(f"{newest.line}: is in place, nothing to do")
            return newest
        say(f"{newest.line}: going on")
        _prepare(platform, state, project, source)
        return _carried_out(platform, journal, newest, say)
    require_finished(journal)
    _require_basis(journal, evidence, source)
    _prepare(platform, state, project, source)
    number = (newest.number if newest else 0) + 1
    record = journal.begin(Record(number, state, checksum, None, by))
    return _carried_out(platform, journal, record, say)


def rollback(platform: Platform, journal: Journal, by: str, say: Say,
             evidence: str | None = None) -> Record:
    """Go back to the state before the newest deployment; nothing, where that has been done.

    Args:
        evidence: go back only from the deployment that was approved by this checksum.

    Raises:
        BadInput: nothing was ever deployed, or a wheel to go back to is gone.
        NotApproved: another deployment was begun meanwhile.
        BranchlineError: what the platform raises; the text says what to run again.
    """
    newest = journal.newest()
    if newest and newest.restores is not None:
        if newest.finished:
            say(f"{newest.line}: is in place, nothing to do; plan --version VERSION goes further")
            return newest
        say(f"{newest.line}: going on")
        return _carried_out(platform, journal, newest, say)
    if evidence and (newest is None or newest.evidence != evidence):
        say(f"evidence {evidence[:12]}: is not of the newest deployment, nothing to do")
        return journal.in_place()
    if newest is None:
        raise BadInput("rollback: nothing was deployed yet; expected a deployment to go back from.")
    before = journal.in_place(newest.number)
    for wheel in _wheels(before.state):
        verified(wheel, platform.wheels)
    record = journal.begin(Record(newest.number + 1, before.state, None, before.number, by))
    return _carried_out(platform, journal, record, say)


def require_finished(journal: Journal) -> None:
    """Nothing, where no deployment is half done.

    Raises:
        NotApproved: one is; it may still be running.
    """
    newest = journal.newest()
    if newest and not newest.finished:
        raise NotApproved(f"{newest.line}: if it is no longer running, finish it with "
                          f"`{_again(journal, newest)}` or undo it with `deploy.py rollback "
                          f"{journal.project}`; then plan again.")


def _again(journal: Journal, record: Record) -> str:
    """The command that finishes a deployment."""
    if record.evidence:
        return f"deploy.py apply {journal.project} --evidence {record.evidence}"
    return f"deploy.py rollback {journal.project}"


def _require_basis(journal: Journal, evidence: Mapping[str, Any], source: Destination) -> None:
    based_on = evidence["based_on"]
    in_place = journal.in_place().number
    if in_place != based_on["deployment"]:
        raise NotApproved(f"evidence: was made when deployment {based_on['deployment']} was in "
                          f"place, now it is {in_place}; plan again, and have that approved.")
    version = evidence["state"]["version"]
    if releases.checksum(journal.name, journal.project, version, source) != based_on["release"]:
        raise NotApproved(f"release {version}: is not the one that the evidence was made of; plan "
                          "again, and have that approved.")


def _prepare(platform: Platform, state: State, project: Project, source: Destination) -> None:
    """All that a job needs before it is there; nothing that is deployed changes by it."""
    wheels = _wheels(state)
    with tempfile.TemporaryDirectory(prefix="branchline-wheel-") as scratch:
        files = [Path(scratch, str(wheel.path).rpartition("/")[2]) for wheel in wheels]
        for wheel, file in zip(wheels, files, strict=True):
            released = replace(wheel, reference=source.reference(str(wheel.path)))
            file.write_bytes(verified(released, source))
        publish(files, platform.wheels)
    for wheel in wheels:
        verified(wheel, platform.wheels)
    copy = platform.copy_project(project)
    if copy != state.copy:
        raise NotApproved(f"project {project.name}: its files are {copy}, approved were "
                          f"{state.copy}; check out commit {state.commit}.")
    platform.tracking.experiment(
        PRODUCTION.experiment(platform.target.experiment_root, project.name))


def _wheels(state: State) -> list[Artifact]:
    return [artifact for artifact in state.artifacts if artifact.kind == WHEEL]


def _carried_out(platform: Platform, journal: Journal, record: Record, say: Say) -> Record:
    try:
        _carry_out(platform, journal, record, say)
    except NotApproved:  # another deployment goes before, this one is not to be finished
        raise
    except BranchlineError as problem:
        raise type(problem)(f"{problem} Deployment {record.number} is half done: run "
                            f"`{_again(journal, record)}` again to finish it.") from problem
    finished = replace(record, finished=True)
    say(finished.line)
    return finished


def _carry_out(platform: Platform, journal: Journal, record: Record, say: Say) -> None:
    before = journal.between(journal.in_place(record.number).number, record.number - 1)
    for name, settings in record.state.jobs.items():
        journal.require_newest(record)
        platform.jobs.put(name, settings)
        say(f"job {name}  {record.state.version}")
    for name in {name for each in before for name in each.state.jobs} - record.state.jobs.keys():
        platform.jobs.remove(name)
        say(f"job {name}  removed")
    journal.require_newest(record)
    _point_champion(platform, record.state, before, say)
    journal.finish(record)


def _point_champion(platform: Platform, state: State, before: list[Record], say: Say) -> None:
    registry = Registry(platform.tracking)
    if state.model:
        name, _, version = state.model.removeprefix("models:/").rpartition("/")
        registry.promote(name, version)
        say(f"{CHAMPION}  {state.model}")
        return
    for model in {each.state.model for each in before if each.state.model}:
        registry.demote(model.removeprefix("models:/").rpartition("/")[0])
        say(f"{CHAMPION}  none")
