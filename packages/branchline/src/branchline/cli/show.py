"""Prints rows of a branch's table, read on the platform that has it."""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from branchline.branch import PRODUCTION
from branchline.ci.identify import current_branch
from branchline.cli import options
from branchline.cli.reading import check_tables, read_tables
from branchline.cli.repository import Repository
from branchline.config.deploy_file import read_deploy_file
from branchline.config.mlproject import Project
from branchline.errors import BadInput
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
@click.option("--production", is_flag=True,
              help="Production's tables, as its readers see them; not a branch's.")
@options.branch
@options.debug
def command(project: str, table: str, target_name: str, rows: int, where: str,
            given: tuple[str, ...], production: bool, given_branch: str | None,
            debug: bool) -> None:
    """Print rows of TABLE, such as silver.quarantine, from the branch's tables of PROJECT.

    The run's own output goes to stderr, if that is a terminal.

    \b
    Exit codes: 0 printed, 2 no such table or an invalid condition, 3 the run failed, 5 the
    workspace did not answer or permit it, 130 interrupted.
    """
    repository = Repository.current()
    target, found = repository.target(target_name), repository.project(project)
    check_tables(found, SHOW, [table])
    if production and given_branch:
        raise BadInput("--production and --branch: expected only one of them.")
    branch = PRODUCTION if production else current_branch(repository.root, given_branch, os.environ)
    told = {"table": table, "where": where, "limit": str(rows)}
    of_jobs = _parameters(found, target_name) if production else {}
    tracking, run_id = read_tables(repository, target, found, branch,
                                   Asked(SHOW, {**of_jobs, **pairs(given), **told}))
    shown, count = rows_of(tracking, run_id)
    print_rows(shown, count)


def _parameters(project: Project, target_name: str) -> Mapping[str, str]:
    """Those of all jobs, which the tables depend on."""
    return read_deploy_file(project.folder / "deploy.yml").where(target_name).parameters
