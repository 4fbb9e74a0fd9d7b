"""Lists, and with --yes removes, what branches left that no longer exist."""

from __future__ import annotations

import os

import click

from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.deploy.journal import deployed_versions
from branchline.platforms.find import open_platform
from branchline.runs.stale_branches import experiments, gone, remote_branches
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
@click.option("--keep", default=10, show_default=True, help="How many of the newest wheels stay.")
@click.option("--remote", default="origin", show_default=True, help="The git remote.")
@options.debug
def command(merged: bool, target_name: str, yes: bool, protected: tuple[str, ...], keep: int,
            remote: str, debug: bool) -> None:
    """List experiments, tables and wheels of branches that no longer exist on the remote.

    \b
    Never those of a protected branch, of a fork or a tag, or with an active run.
    """
    repository = Repository.current()
    target = repository.target(target_name)
    alive = remote_branches(repository.root, remote)
    platform = open_platform(target, repository.root, os.environ)
    found = experiments(platform.tracking, target.experiment_root)
    stale = gone(found, alive, ("main", *protected))
    kept = [experiment for experiment in found if experiment not in stale]
    name = project_name(repository.root)
    used = set().union(*(experiment.wheels for experiment in kept))
    used |= deployed_versions(name, platform.wheels)
    count = 0
    for leftover in platform.leftovers(stale, used, name, keep):
        print(f"{'removing' if yes else 'would remove'}  {leftover.what}", flush=True)
        if yes:
            leftover.remove()
        count += 1
    print(f"{count} {'removed' if yes else 'to remove; --yes removes them'}, "
          f"{len(kept)} experiments kept")
