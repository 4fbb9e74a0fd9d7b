"""Starts a project in the experiment of this branch, here or on a workspace."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from branchline.branch import MAIN, Branch
from branchline.ci.identify import current_branch, in_ci
from branchline.ci.output import set_output, show_page
from branchline.cli import options
from branchline.cli.code_check import check_code
from branchline.cli.repository import Repository
from branchline.config.targets import Target
from branchline.errors import BadInput, RunFailed
from branchline.platforms.base import Platform
from branchline.platforms.find import open_platform
from branchline.runs import summary
from branchline.runs.request import Asked, Request, pairs, request
from branchline.runs.start import exit_code_of, start
from branchline.signals import ends_with_its_parent

__all__ = ["command"]


@click.command("run", context_settings=options.help_names)
@click.argument("project", required=False)
@options.more_wheels
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where to run: a name in targets.yml.")
@click.option("-e", "--entry-point", default="main", show_default=True,
              help="The entry point: main for the whole project, or one step.")
@click.option("-P", "--parameter", "given", multiple=True, metavar="NAME=VALUE",
              help="A parameter of the entry point; repeat for more.")
@click.option("--from-main", is_flag=True,
              help="Begin with shallow clones of main's tables; skip steps that would not change "
                   "them.")
@click.option("--all", "all_steps", is_flag=True, help="With --from-main: skip no step.")
@options.wheels
@click.option("--live", is_flag=True,
              help="Run the sources as they are now from a workspace folder, without a wheel.")
@click.option("--no-wait", is_flag=True, help="Return once the workspace has accepted the run.")
@click.option("--attach", metavar="RUN", help="Follow a run submitted earlier, by its MLflow id.")
@options.branch
@options.summary
@options.debug
def command(debug: bool, **given: Any) -> None:
    """Start the MLflow project PROJECT in the experiment named after the branch.

    \b
    Exit codes: 0 the run succeeded, 2 bad input (found here, or by the run), 3 the run failed,
    5 the workspace did not answer or permit it, 130 interrupted (the run is marked KILLED).
    """
    asked = _Options(**given)
    repository = Repository.current()
    target = repository.target(asked.target_name)
    _refuse_on_this_machine(target, asked)
    if asked.attach:
        return _attach(repository, target, asked.attach)
    checked = _request(repository, target, asked)
    if not checked.wheels:  # that run's code may differ from the checkout's
        check_code(checked.project, repository.root, checked.parameters)
    with ExitStack() as stack:
        if in_ci(os.environ):
            stack.enter_context(ends_with_its_parent())
        platform = open_platform(target, repository.root, os.environ)
        if asked.no_wait:
            _submit(platform, checked)
        else:
            _run_to_its_end(platform, checked, asked.page)


@dataclass(frozen=True)
class _Options:
    """The options of the command, by click's names."""

    project: str | None
    more_wheels: tuple[Path, ...]
    target_name: str
    entry_point: str
    given: tuple[str, ...]
    from_main: bool
    all_steps: bool
    given_wheels: tuple[Path, ...]
    live: bool
    no_wait: bool
    attach: str | None
    given_branch: str | None
    page: Path | None


def _refuse_on_this_machine(target: Target, asked: _Options) -> None:
    options_given = {"--live": asked.live, "--no-wait": asked.no_wait, "--attach": asked.attach}
    given = [name for name, value in options_given.items() if value]
    if given and target.is_here:
        raise BadInput(f"{given[0]}: works on a workspace only; target {target.name} is this "
                       "machine.")


def _request(repository: Repository, target: Target, asked: _Options) -> Request:
    if asked.project is None:
        raise click.UsageError("Missing argument 'PROJECT'.")
    wheels = options.wheel_files(asked.given_wheels, asked.more_wheels)
    if wheels and asked.live:
        raise BadInput("--wheel and --live: expected only one of them.")
    branch = current_branch(repository.root, asked.given_branch, os.environ)
    given = pairs(asked.given)
    if asked.all_steps and not asked.from_main:
        raise BadInput("--all: works with --from-main only; without it no step is skipped.")
    if asked.from_main:
        given |= {"base": _base(repository, target, branch),
                  "rerun": "all" if asked.all_steps else "changed"}
    return request(repository.root, target, repository.project(asked.project), branch,
                   Asked(asked.entry_point, given, wheels, asked.live))


def _base(repository: Repository, target: Target, branch: Branch) -> str:
    """The schema of main's tables in the target."""
    if branch == MAIN:
        raise BadInput("--from-main: the branch is main itself; leave it out.")
    return target.values(MAIN, repository.root)["schema"]


def _attach(repository: Repository, target: Target, run_id: str) -> None:
    platform = open_platform(target, repository.root, os.environ)
    platform.attach(run_id)
    summary.show_end(platform.tracking, run_id)


def _submit(platform: Platform, checked: Request) -> None:
    run_id = start(platform, checked, os.environ, wait=False)
    print("\nfollow it  python mlflow-triggers/run.py "
          f"--on {platform.target.name} --attach {run_id}")


def _run_to_its_end(platform: Platform, checked: Request, page: Path | None) -> None:
    try:
        run_id = start(platform, checked, os.environ)
    except RunFailed as problem:
        problem.exit_code = exit_code_of(platform.tracking, problem)
        if page and problem.run_id:
            _show(page, summary.to_markdown(platform.tracking, problem.run_id, str(problem)))
        raise
    summary.show_end(platform.tracking, run_id)
    if platform.target.is_here:
        summary.show_next(checked.project, checked.entry_point)
    set_output("run", run_id, os.environ)
    if page:
        _show(page, summary.to_markdown(platform.tracking, run_id))


def _show(page: Path, text: str) -> None:
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    show_page(page, os.environ)
