"""The tables of production's table sets in a folder, to list and to remove."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from shutil import rmtree

from branchline.platforms.base import Leftover
from branchline.table_sets import branch_schema

__all__ = ["kept_tables"]

REMOVED = ".removed-"


def kept_tables(top: Path, schema: str, table_sets: Collection[str]) -> Iterator[Leftover]:
    """Implements `Platform.kept_tables`; what a killed removal left is listed as well."""
    for folder in sorted(top.glob(f"{schema}*/_sets/*")):
        if (branch_schema(folder.parents[1].name) == schema
                and folder.name.removeprefix(REMOVED) in table_sets):
            yield Leftover(f"tables {folder}", partial(_remove, folder))


def _remove(folder: Path) -> None:
    """Take the set away by its name first: a killed removal leaves none that is half there."""
    if not folder.name.startswith(REMOVED):
        aside = folder.with_name(REMOVED + folder.name)
        rmtree(aside, ignore_errors=True)
        folder = folder.rename(aside)
    rmtree(folder)
