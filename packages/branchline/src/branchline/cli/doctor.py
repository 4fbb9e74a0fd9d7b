"""Checks what would make a run fail, before it starts, and says what to do."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.errors import BadInput
from branchline.platforms.checks import Check
from branchline.platforms.find import checks
from branchline.text import one_line

__all__ = ["command"]


@click.command("doctor", context_settings=options.help_names)
@click.option("--on", "target_name", default="local", show_default=True,
              help="What to check: a name in targets.yml.")
@options.debug
def command(target_name: str, debug: bool) -> None:
    """Check everything that a run needs, and say how to fix what is missing.

    \b
    Exit codes: 0 a run would start, 2 something is wrong.
    """
    repository = Repository.current()
    target = repository.target(target_name)
    wrong = _show(checks(target, repository.root, os.environ))
    if wrong:
        raise BadInput(f"{wrong} of the above would make a run on {target.name} fail.")


def _show(found: Iterable[Check]) -> int:
    """Print the checks as they come; returns how many would make a run fail."""
    wrong = 0
    for check in found:
        wrong += check.blocking
        print(f"{check.verdict:<6} {check.what:<18} {one_line(check.found)}", flush=True)
        if check.remedy:
            print(f"{'':<25} -> {one_line(check.remedy)}")
    return wrong
