"""Builds the wheels of this checkout."""

from __future__ import annotations

import click

from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.wheels.build import build

__all__ = ["command"]


@click.command("wheel", context_settings=options.help_names)
@options.debug
def command(debug: bool) -> None:
    """Build the wheels of this checkout and leave them alone in dist/."""
    root = Repository.current().root
    wheel = build(root, root / "dist")
    for other in wheel.parent.glob("*.whl"):
        if other != wheel:
            other.unlink()
    print(wheel.relative_to(root))
