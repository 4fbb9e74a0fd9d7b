"""branchline backfill: the online store filled from a branch's tables."""

from __future__ import annotations

import os
from pathlib import Path

import click

from branchline.ci.identify import current_branch
from branchline.cli import options
from branchline.cli.reading import check_tables, read_tables
from branchline.cli.repository import Repository
from branchline.runs.request import Asked, pairs

__all__ = ["command"]

STEP = "backfill"


@click.command("backfill", context_settings=options.help_names)
@click.argument("project")
@click.option("--store", required=True, metavar="ADDRESS",
              help="The online store: a file, or redis://HOST.")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the tables are: a name in targets.yml.")
@click.option("-P", "--parameter", "given", multiple=True, metavar="NAME=VALUE",
              help="A parameter that the tables depend on, such as data; by default those of the "
                   "branch's newest run.")
@options.branch
@options.debug
def command(project: str, store: str, target_name: str, given: tuple[str, ...],
            given_branch: str | None, debug: bool) -> None:
    """Empty the online store and fill it from PROJECT's tables, as if they had been streamed.

    Stop the workers that use it before. Start them afterwards from an offset before the tables'
    last event: what is there already changes nothing.

    \b
    Exit codes: 0 filled; 2 bad input; 3 the run failed; 5 the workspace or the store did not
    answer or permit it; 130 interrupted (fill it again before it is used).
    """
    repository = Repository.current()
    target, found = repository.target(target_name), repository.project(project)
    check_tables(found, STEP, ())
    branch = current_branch(repository.root, given_branch, os.environ)
    address = store if "://" in store else str(Path(store).resolve())
    tracking, run_id = read_tables(repository, target, found, branch,
                                   Asked(STEP, {**pairs(given), "store": address}))
    metrics = tracking.run(run_id).data.metrics
    print(f"{int(metrics[f'{STEP}/histories']):,} histories of {int(metrics[f'{STEP}/rows']):,} "
          "events")
