"""Prints rows of a branch's table, read on the platform that has it."""

from __future__ import annotations

import os

import click

from branchline.ci.identify import current_branch
from branchline.cli import options
from branchline.cli.reading import check_tables, read_tables
from branchline.cli.repository import Repository
from branchline.runs.request import Asked, pairs
from branchline.runs.shown_rows import SHOW, print_rows, rows_of

__all__ = ["command"]


@click.command("show", context_settings=options.help_names)
@click.argument("project")
@click.argument("table")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the table is: a name in targets.yml.")
@click.option("--rows", default=20, show_default=True, metavar="N", type=click.IntRange(1, 1000),
              help="The maximum number of rows.")
@click.option("--where", default="", metavar="CONDITION",
              help="Only rows that meet this SQL condition on the table's columns.")
@click.option("-P", "--parameter", "given", multiple=True, metavar="NAME=VALUE",
              help="A parameter that the tables depend on, such as data; by default those of the "
                   "branch's newest run.")
@options.branch
@options.debug
def command(project: str, table: str, target_name: str, rows: int, where: str,
            given: tuple[str, ...], given_branch: str | None, debug: bool) -> None:
    """Print rows of TABLE, such as silver.quarantine, from the branch's tables of PROJECT.

    The run's own output goes to stderr, if that is a terminal.

    \b
    Exit codes: 0 printed, 2 no such table or an invalid condition, 3 the run failed, 5 the
    workspace did not answer or permit it, 130 interrupted.
    """
    repository = Repository.current()
    target, found = repository.target(target_name), repository.project(project)
    check_tables(found, SHOW, [table])
    branch = current_branch(repository.root, given_branch, os.environ)
    told = {"table": table, "where": where, "limit": str(rows)}
    tracking, run_id = read_tables(repository, target, found, branch,
                                   Asked(SHOW, {**pairs(given), **told}))
    shown, count = rows_of(tracking, run_id)
    print_rows(shown, count)
