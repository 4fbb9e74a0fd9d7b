"""Lists, and with --yes removes, the leftovers of branches that no longer exist."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import click

from branchline.cli import options
from branchline.cli.leftovers import remove
from branchline.cli.repository import Repository
from branchline.config.targets import require_named
from branchline.deploy.journal import deployed_versions
from branchline.errors import BadInput
from branchline.platforms.base import KeptWheels, Platform
from branchline.platforms.find import open_platform
from branchline.runs.stale_branches import (Experiment, experiments, gone, local_branches,
                                            remote_branches)
from branchline.wheels.pyproject import project_name

__all__ = ["command"]


@click.command("clean", context_settings=options.help_names)
@click.option("--merged", is_flag=True, required=True,
              help="Leftovers of branches that the git remote no longer has.")
@click.option("--on", "target_name", default="dev", show_default=True,
              help="Where: a name in targets.yml.")
@click.option("--yes", is_flag=True, help="Remove them; by default they are only listed.")
@click.option("--protect", "protected", multiple=True, default=("main", "master", "release/*"),
              show_default=True, metavar="PATTERN",
              help="Branches whose leftovers are always kept.")
@click.option("--mine", multiple=True, metavar="NAME",
              help="A branch of yours that was never pushed and is now deleted; repeat for more.")
@click.option("--keep", default=10, show_default=True,
              help="How many of the newest wheels are kept.")
@click.option("--remote", default="origin", show_default=True, help="The git remote.")
@options.debug
def command(debug: bool, **given: Any) -> None:
    """List experiments, tables and wheels of branches that the remote had and no longer has.

    \b
    It keeps those of forks and tags, and of branches that no run saw on the remote, that this
    checkout has, that are protected, or that have an active run.
    """
    _clean(Repository.current(), _Options(**given))


@dataclass(frozen=True)
class _Options:
    """The options of the command, by click's names."""

    merged: bool
    target_name: str
    yes: bool
    protected: tuple[str, ...]
    mine: tuple[str, ...]
    keep: int
    remote: str


def _clean(repository: Repository, options: _Options) -> None:
    target = repository.target(options.target_name)
    alive = remote_branches(repository.root, options.remote)
    if options.yes:
        require_named(target, os.environ, "clean --yes")
    here = local_branches(repository.root)
    platform = open_platform(target, repository.root, os.environ)
    print(f"target {target.name}, {platform.address}", flush=True)
    found = experiments(platform.tracking, target.experiment_root)
    _check_mine(options.mine, found, here)
    stale = gone(found, alive | here, ("main", *options.protected), options.mine)
    kept = [experiment for experiment in found if experiment not in stale]
    wheels = _kept_wheels(platform, project_name(repository.root), kept, options.keep)
    count = remove(platform.leftovers(stale, wheels), options.yes)
    print(f"{count} {'removed' if options.yes else 'to remove; --yes removes them'}, "
          f"{len(kept)} experiments kept")


def _kept_wheels(platform: Platform, name: str, kept: Iterable[Experiment],
                 newest: int) -> KeptWheels:
    used = set().union(*(experiment.wheels for experiment in kept))
    return KeptWheels(name, used | deployed_versions(name, platform.wheels), newest)


def _check_mine(mine: Iterable[str], found: Iterable[Experiment], here: Collection[str]) -> None:
    known = {experiment.branch.name for experiment in found if experiment.branch}
    for name in mine:
        if name in here:
            raise BadInput(f"--mine {name}: this checkout has that branch; delete it first: "
                           f"git branch -D {name}")
        if name not in known:
            raise BadInput(f"--mine {name}: no experiment belongs to that branch; expected one of "
                           f"{', '.join(sorted(known)) or 'none'}.")
