"""Prints rows of a table of the branch, read where the table is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from branchline.ci.identify import current_branch
from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.config.declaration import declared
from branchline.config.mlproject import Project
from branchline.errors import BadInput, RunFailed
from branchline.platforms.base import Platform
from branchline.platforms.find import open_platform
from branchline.runs.request import Asked, Request, pairs, request
from branchline.runs.shown_rows import SHOW, newest_parameters, print_rows, rows_of
from branchline.runs.start import exit_code_of, start

if TYPE_CHECKING:
    from branchline.branch import Branch

__all__ = ["command"]


@click.command("show", context_settings=options.help_names)
@click.argument("project")
@click.argument("table")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the table is: a name in targets.yml.")
@click.option("--rows", default=20, show_default=True, metavar="N", type=click.IntRange(1, 1000),
              help="How many rows at most.")
@click.option("--where", default="", metavar="CONDITION",
              help="Only rows that meet this SQL condition on the table's columns.")
@click.option("-P", "--parameter", "given", multiple=True, metavar="NAME=VALUE",
              help="A parameter that the tables depend on, such as data; by default those of the "
                   "branch's newest run.")
@options.branch
@options.debug
def command(project: str, table: str, target_name: str, rows: int, where: str,
            given: tuple[str, ...], given_branch: str | None, debug: bool) -> None:
    """Print rows of TABLE, such as silver.quarantine, of the branch's tables of PROJECT.

    What the run says on the way goes to stderr, where that is a terminal.

    \b
    Exit codes: 0 printed, 2 no such table or a condition that is none, 3 the run failed, 5 the
    workspace did not answer or permit it, 130 interrupted.
    """
    repository = Repository.current()
    target, found = repository.target(target_name), repository.project(project)
    _check(found, table)
    branch = current_branch(repository.root, given_branch, os.environ)
    asked = request(repository.root, target, found, branch, Asked(SHOW, {
        **pairs(given), "table": table, "where": where, "limit": str(rows)}))
    with _quietly():
        platform = open_platform(target, repository.root, os.environ)
        asked = _as_before(platform, asked, pairs(given), branch)
        run_id = _read(platform, asked)
    shown, count = rows_of(platform.tracking, run_id)
    print_rows(shown, count)


def _check(project: Project, table: str) -> None:
    tables = declared(project).table_names
    if SHOW not in project.entry_points:
        raise BadInput(f"project {project.name}: MLproject has no entry point {SHOW}; add it by "
                       f"`branchline mlproject {project.name} --write`.")
    if table not in tables:
        raise BadInput(f"table {table!r} is unknown to project {project.name}; expected one of "
                       f"{', '.join(sorted(tables))}.")


def _as_before(platform: Platform, asked: Request, given: Mapping[str, str],
               branch: Branch) -> Request:
    """The request with what the branch's newest run was told, for all that is not given now."""
    experiment = branch.experiment(platform.target.experiment_root, asked.project.name)
    before = newest_parameters(platform.tracking, experiment)
    kept = {name: text for name, text in before.items() if name in asked.parameters
            and name not in (*given, "steps", "table", "where", "limit")}
    return replace(asked, parameters={**asked.parameters, **kept})


def _read(platform: Platform, asked: Request) -> str:
    """Run the step; the run's id.

    Raises:
        BadInput: what the run says of the table or the condition.
        RunFailed: it ended without success for another reason.
    """
    try:
        return start(platform, asked, os.environ)
    except RunFailed as problem:
        if problem.run_id and exit_code_of(platform.tracking, problem) == BadInput.exit_code:
            raise BadInput(platform.tracking.run(problem.run_id).data.tags["error"]) from None
        raise


@contextmanager
def _quietly() -> Iterator[None]:
    """In the block, all that is printed goes to stderr, or nowhere where that is no terminal."""
    is_seen = sys.stderr.isatty()
    with ExitStack() as stack:
        sink = sys.stderr if is_seen else stack.enter_context(open(os.devnull, "w"))
        for number in (1,) if is_seen else (1, 2):  # what the processes that are started inherit
            kept = os.dup(number)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, number)
            os.dup2(2 if is_seen else sink.fileno(), number)
        stack.enter_context(redirect_stdout(sink))
        stack.enter_context(redirect_stderr(sink))
        yield
