"""Checks a project's MLproject file against the steps and parameters of its code, or writes it."""

from __future__ import annotations

import click

from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.config.declaration import check, declared, write

__all__ = ["command"]


@click.command("mlproject", context_settings=options.help_names)
@click.argument("project")
@click.option("--write", "writes", is_flag=True,
              help="Write the file's entry points; the part above them is kept.")
@options.debug
def command(project: str, writes: bool, debug: bool) -> None:
    """Check that the MLproject file of PROJECT has the steps and parameters of its code.

    \b
    Exit codes: 0 they match, or the file was written; 2 they differ.
    """
    found = Repository.current().project(project)
    pipeline = declared(found)
    if writes:
        write(found, pipeline)
    else:
        check(found, pipeline)
    print(f"{project}: {len(pipeline.names)} steps, {len(pipeline.parameters)} parameters")
