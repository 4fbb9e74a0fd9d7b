"""Builds the wheels of this checkout."""

from __future__ import annotations

import click

from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.wheels.build import build_alone

__all__ = ["command"]


@click.command("wheel", context_settings=options.help_names)
@options.debug
def command(debug: bool) -> None:
    """Build the wheels of this checkout into dist/, and remove any others there."""
    root = Repository.current().root
    for wheel in build_alone(root, root / "dist"):
        print(wheel.relative_to(root))
