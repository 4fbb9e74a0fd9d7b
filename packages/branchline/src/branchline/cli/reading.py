"""Runs a step that only reads tables, for a command that prints only the result."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from typing import TYPE_CHECKING

from branchline.cli.repository import Repository
from branchline.config.declaration import declared
from branchline.config.mlproject import Project
from branchline.config.targets import Target
from branchline.errors import BadInput, RunFailed
from branchline.platforms.base import Platform
from branchline.platforms.find import open_platform
from branchline.runs.request import Asked, Request, request
from branchline.runs.shown_rows import newest_parameters
from branchline.runs.start import exit_code_of, start
from branchline.runs.tracking import Tracking

if TYPE_CHECKING:
    from branchline.branch import Branch

__all__ = ["check_tables", "read_tables"]


def check_tables(project: Project, step: str, names: Sequence[str]) -> None:
    """Check that the project has the step and knows the tables.

    Raises:
        BadInput: one of them is unknown.
    """
    known = declared(project).table_names
    if step not in project.entry_points:
        raise BadInput(f"project {project.name}: MLproject has no entry point {step}; add it with "
                       f"`branchline mlproject {project.name} --write`.")
    for name in names:
        if name not in known:
            raise BadInput(f"table {name!r} is unknown to project {project.name}; expected "
                           f"one of {', '.join(sorted(known))}.")


def read_tables(repository: Repository, target: Target, project: Project, branch: Branch,
                asked: Asked) -> tuple[Tracking, str]:
    """Run the step on the branch's tables; returns the store and the run's id.

    Parameters that are not asked for are as in the branch's newest run.

    Raises:
        BadInput: the run rejects its parameters.
        RunFailed: it ended without success for another reason.
    """
    checked = request(repository.root, target, project, branch, asked)
    with _quietly():
        platform = open_platform(target, repository.root, os.environ)
        checked = _as_before(platform, checked, {"steps", "table_set", *asked.parameters}, branch)
        return platform.tracking, _run(platform, checked)


def _as_before(platform: Platform, asked: Request, settled: set[str], branch: Branch) -> Request:
    """The request, with all other parameters as in the branch's newest run."""
    experiment = branch.experiment(platform.target.experiment_root, asked.project.name)
    before = newest_parameters(platform.tracking, experiment)
    kept = {name: text for name, text in before.items()
            if name in asked.parameters and name not in settled}
    return replace(asked, parameters={**asked.parameters, **kept})


def _run(platform: Platform, asked: Request) -> str:
    try:
        return start(platform, asked, os.environ)
    except RunFailed as problem:
        if problem.run_id and exit_code_of(platform.tracking, problem) == BadInput.exit_code:
            raise BadInput(platform.tracking.run(problem.run_id).data.tags["error"]) from None
        raise


@contextmanager
def _quietly() -> Iterator[None]:
    """In the block, all output goes to stderr or, if that is not a terminal, nowhere."""
    is_seen = sys.stderr.isatty()
    with ExitStack() as stack:
        sink = sys.stderr if is_seen else stack.enter_context(open(os.devnull, "w"))
        for number in (1,) if is_seen else (1, 2):  # child processes inherit it
            kept = os.dup(number)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, number)
            os.dup2(2 if is_seen else sink.fileno(), number)
        stack.enter_context(redirect_stdout(sink))
        stack.enter_context(redirect_stderr(sink))
        yield
