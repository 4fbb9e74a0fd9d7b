"""Carries out a deployment: wheels and project files, then services, jobs, readers, champion."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from branchline.branch import PRODUCTION
from branchline.deploy.deployment import Deployment, State
from branchline.deploy.production import Production
from branchline.deploy.readers import move_readers
from branchline.deploy.services import Services
from branchline.errors import NotApproved
from branchline.runs.registry import CHAMPION, Registry
from branchline.wheels.artifacts import WHEEL, Artifact
from branchline.wheels.publish import publish
from branchline.wheels.published import verified

__all__ = ["Say", "carry_out", "prepare", "wheels_of"]

Say = Callable[[str], None]


def prepare(production: Production, state: State) -> None:
    """Put everything in place that the jobs need; nothing deployed changes.

    Raises:
        NotApproved: the project's files are not the approved ones.
        BadInput: a wheel is not what was published.
    """
    platform, project = production.platform, production.project
    _copy_wheels(production, state)
    copy = platform.copy_project(project)
    if copy != state.copy:
        raise NotApproved(f"project {project.name}: its files are {copy}, but {state.copy} "
                          f"was approved; check out commit {state.commit}.")
    platform.tracking.experiment(
        PRODUCTION.experiment(platform.target.experiment_root, project.name))


def _copy_wheels(production: Production, state: State) -> None:
    """From where the release is published to where production installs from."""
    wheels, source = wheels_of(state), production.source
    with tempfile.TemporaryDirectory(prefix="branchline-wheel-") as scratch:
        files = [Path(scratch, str(wheel.path).rpartition("/")[2]) for wheel in wheels]
        for wheel, file in zip(wheels, files, strict=True):
            released = replace(wheel, reference=source.reference(str(wheel.path)))
            file.write_bytes(verified(released, source))
        publish(files, production.platform.wheels)
    for wheel in wheels:
        verified(wheel, production.platform.wheels)


def wheels_of(state: State) -> list[Artifact]:
    """The wheels among a state's artifacts."""
    return [artifact for artifact in state.artifacts if artifact.kind == WHEEL]


def carry_out(production: Production, deployment: Deployment, say: Say) -> Deployment:
    """Bring production to the deployment's state; returns the finished deployment.

    Raises:
        NotApproved: another deployment has started meanwhile; production is left as that says.
        RunFailed, GateRefused: a service failed its check, or its canary was withdrawn.
        BranchlineError: what the platform or a cluster raises.
    """
    try:
        _write(production, deployment, say)
    except NotApproved:
        _give_way(production, deployment, say)
        raise
    production.journal.finish(deployment)
    return replace(deployment, finished=True)


def _write(production: Production, deployment: Deployment, say: Say) -> None:
    platform, journal = production.platform, production.journal
    before = journal.between(journal.current(deployment.number).number, deployment.number - 1)
    services = Services(production, deployment, before, say)
    services.rehearse()
    for name, settings in deployment.state.jobs.items():
        journal.require_newest(deployment)
        platform.jobs.put(name, settings)
        say(f"job {name}  {deployment.state.version}")
    journal.require_newest(deployment)
    move_readers(production, deployment, say)
    for name in _jobs(before) - deployment.state.jobs.keys():
        platform.jobs.remove(name)
        say(f"job {name}  removed")
    services.release()
    journal.require_newest(deployment)
    _point_champion(production, deployment.state, before, say)
    journal.require_newest(deployment)


def _give_way(production: Production, late: Deployment, say: Say) -> None:
    """Repeat what the newest deployment says: the late one may have written after its end."""
    jobs, seen = production.platform.jobs, late.number
    while (newest := production.journal.newest()) and newest.number > seen:
        seen = newest.number
        for name, settings in newest.state.jobs.items():
            jobs.put(name, settings)
        for name in late.state.jobs.keys() - newest.state.jobs.keys():
            jobs.remove(name)
        if newest.finished:  # else it is still on its way, and its services are not checked yet
            Services(production, newest, [late], say).repeat()
        _point_champion(production, newest.state, [late], say)


def _jobs(deployments: list[Deployment]) -> set[str]:
    return {name for each in deployments for name in each.state.jobs}


def _point_champion(production: Production, state: State, before: list[Deployment],
                    say: Say) -> None:
    registry = Registry(production.platform.tracking)
    if state.model:
        name, _, version = state.model.removeprefix("models:/").rpartition("/")
        registry.promote(name, version)
        say(f"{CHAMPION}  {state.model}")
        return
    for model in {each.state.model for each in before if each.state.model}:
        registry.demote(model.removeprefix("models:/").rpartition("/")[0])
        say(f"{CHAMPION}  none")
