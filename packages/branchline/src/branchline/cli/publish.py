"""Releases a commit: its wheels and images, published once, with the gate's verdict."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from branchline.branch import MAIN, Branch
from branchline.ci.identify import current_branch, started_by
from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.config.declaration import declared
from branchline.config.mlproject import Project
from branchline.deploy import release_files
from branchline.deploy.gate_result import gate_result
from branchline.deploy.release import Origin, Release, clean_source, require_passed
from branchline.errors import NotInstalled
from branchline.images.digests import read_images
from branchline.platforms.base import Platform
from branchline.platforms.find import open_platform
from branchline.wheels import smoke
from branchline.wheels.build import build
from branchline.wheels.pyproject import project_name
from branchline.wheels.required import locked
from branchline.wheels.owner import require_own
from branchline.wheels.publish import publish

__all__ = ["Asked", "command", "release"]


@click.command("publish", context_settings=options.help_names)
@click.argument("project")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the gate decided and the wheels go: a name in targets.yml.")
@click.option("--run", "run_id", metavar="RUN",
              help="The run the gate decided on; by default main's newest on this commit.")
@click.option("--override", metavar="REASON",
              help="Publish although the gate did not pass the commit; the reason is recorded.")
@click.option("--images", "images_file", type=click.Path(path_type=Path), metavar="FILE",
              help="The digests of its services' images, as image.py --push wrote them.")
@options.branch
@options.debug
def command(project: str, target_name: str, run_id: str | None, override: str | None,
            images_file: Path | None, given_branch: str | None, debug: bool) -> None:
    """Build this commit's wheels, test them, and publish them as a release of PROJECT.

    \b
    Exit codes: 0 released, now or before; 2 bad input, the version is taken by other bytes, or a
    wheel does not import; 4 the gate did not pass the commit; 5 the workspace did not answer or
    permit it.
    """
    repository = Repository.current()
    target, found = repository.target(target_name), repository.project(project)
    branch = current_branch(repository.root, given_branch, os.environ)
    platform = open_platform(target, repository.root, os.environ)
    release(repository, platform, found, Asked(branch, run_id, override, images_file))


@dataclass(frozen=True)
class Asked:
    """What to release: the commit is the checkout's, the run the one that the gate decided on."""

    branch: Branch
    run_id: str | None
    override: str | None = None
    images_file: Path | None = None


def release(repository: Repository, platform: Platform, project: Project, asked: Asked) -> Release:
    """The release of the checkout's commit, published now or before.

    Raises:
        BadInput, GateRefused: the checkout is not clean, or the gate did not pass it.
    """
    source, name = clean_source(repository.root), project_name(repository.root)
    images = read_images(asked.images_file, source.version) if asked.images_file else ()
    before = release_files.look_up(name, project.name, source.version, platform.wheels)
    if before:
        _show(before, f"already released by {before.by} at {before.at}; nothing to do")
        return before
    target = platform.target
    result = gate_result(
        platform.tracking, MAIN.experiment(target.experiment_root, project.name), source.version,
        source.commit or "", target.model_name(project.name), asked.run_id)
    require_passed(result, source.commit or "", asked.override)
    require_own(repository.root, name, platform.wheels)
    with tempfile.TemporaryDirectory(prefix="branchline-release-") as scratch:
        wheels = build(repository.root, Path(scratch))
        count = smoke.imports(wheels, repository.root)
        published = publish(wheels, platform.wheels)
    artifacts = (*locked(repository.root), *images, *published.artifacts)
    origin = Origin(project.name, source.commit or "", asked.branch.name, started_by(os.environ))
    made = release_files.write(artifacts, origin, result, asked.override, platform.wheels,
                               _tables(project))
    _show(made, f"{count} modules import in a clean environment")
    return made


def _tables(project: Project) -> Sequence[Mapping[str, Any]] | None:
    """The tables that the project's code declares; None if it has no pipeline, or a library is
    missing here."""
    with suppress(NotInstalled):
        return declared(project).table_records if project.pipeline else None
    return None


def _show(made: Release, line: str) -> None:
    print(f"release    {made.version}, {line}\n"
          f"gate       {made.gate['outcome']}: {made.gate['line']}\n"
          f"model      {made.model or 'none registered'}"
          + (f"\nform       {form}" if (form := made.gate.get("form")) else "")
          + (f"\noverride   {made.override}" if made.override else "")
          + "".join(f"\n{each.kind:<10} {each.reference}"
                    + (f"\nsha256     {each.sha256}" if each.sha256 and each.path else "")
                    for each in made.artifacts))
