"""Lists, and with --yes removes, what branches left that no longer exist."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

import click

from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.config.targets import require_named
from branchline.deploy.journal import deployed_versions
from branchline.errors import BadInput
from branchline.platforms.find import open_platform
from branchline.runs.stale_branches import (Experiment, experiments, gone, local_branches,
                                            remote_branches)
from branchline.text import one_line
from branchline.wheels.distributions import project_name

__all__ = ["command"]


@click.command("clean", context_settings=options.help_names)
@click.option("--merged", is_flag=True, required=True,
              help="What is left of branches that the git remote no longer has.")
@click.option("--on", "target_name", default="dev", show_default=True,
              help="Where: a name in targets.yml.")
@click.option("--yes", is_flag=True, help="Remove it; by default it is only listed.")
@click.option("--protect", "protected", multiple=True, default=("main", "master", "release/*"),
              show_default=True, metavar="PATTERN", help="Branches that are kept in any case.")
@click.option("--mine", multiple=True, metavar="NAME",
              help="A branch of yours that was never pushed and is deleted here; repeat for more.")
@click.option("--keep", default=10, show_default=True, help="How many of the newest wheels stay.")
@click.option("--remote", default="origin", show_default=True, help="The git remote.")
@options.debug
def command(merged: bool, target_name: str, yes: bool, protected: tuple[str, ...],
            mine: tuple[str, ...], keep: int, remote: str, debug: bool) -> None:
    """List experiments, tables and wheels of branches that the remote had and no longer has.

    \b
    Never those of a branch that no run saw on the remote, of a branch in this checkout, of a
    protected one, of a fork or a tag, or with an active run.
    """
    repository = Repository.current()
    target = repository.target(target_name)
    alive = remote_branches(repository.root, remote)
    if yes:
        require_named(target, os.environ, "clean --yes")
    here = local_branches(repository.root)
    platform = open_platform(target, repository.root, os.environ)
    print(f"target {target.name}, {platform.address}", flush=True)
    found = experiments(platform.tracking, target.experiment_root)
    _check_mine(mine, found, here)
    stale = gone(found, alive | here, ("main", *protected), mine)
    kept = [experiment for experiment in found if experiment not in stale]
    name = project_name(repository.root)
    used = set().union(*(experiment.wheels for experiment in kept))
    used |= deployed_versions(name, platform.wheels)
    count = 0
    for leftover in platform.leftovers(stale, used, name, keep):
        print(f"{'removing' if yes else 'would remove'}  {one_line(leftover.what)}", flush=True)
        if yes:
            leftover.remove()
        count += 1
    print(f"{count} {'removed' if yes else 'to remove; --yes removes them'}, "
          f"{len(kept)} experiments kept")


def _check_mine(mine: Iterable[str], found: Iterable[Experiment], here: Collection[str]) -> None:
    known = {experiment.branch.name for experiment in found if experiment.branch}
    for name in mine:
        if name in here:
            raise BadInput(f"--mine {name}: this checkout has that branch; delete it first: "
                           f"git branch -D {name}")
        if name not in known:
            raise BadInput(f"--mine {name}: no experiment is of that branch; expected one of "
                           f"{', '.join(sorted(known)) or 'none'}.")
