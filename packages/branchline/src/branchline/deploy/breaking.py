"""What a release changes in its tables that those who read them, or a rollback, would notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["breaking_changes"]

Record = Mapping[str, Any]


def breaking_changes(was: Iterable[Record], becomes: Iterable[Record]) -> list[str]:
    """One line for each, from the tables of two releases; new tables and columns break nothing."""
    now = {table["name"]: table for table in becomes}
    return [f"{table['name']}: {line}" for table in was
            for line in _changes(table, now.get(table["name"]))]


def _changes(was: Record, becomes: Record | None) -> Iterator[str]:
    if becomes is None:
        yield "table dropped"
        return
    for name, kind in was["columns"].items():
        found = becomes["columns"].get(name)
        if found is None:
            yield f"column {name} dropped (was {kind.lower()})"
        elif found.lower() != kind.lower():
            yield f"column {name} changed from {kind.lower()} to {found.lower()}"
    if was["key"] != becomes["key"]:
        yield f"key changed from {', '.join(was['key'])} to {', '.join(becomes['key'])}"
    if was["versioned"] and not becomes["versioned"]:
        yield "no longer versioned: it begins without the rows that are in the table set"
    if was["format"] != becomes["format"] and not (was["versioned"] and becomes["versioned"]):
        yield (f"format changed from {was['format']} to {becomes['format']}; all versions share "
               "this table, and the former code cannot read it after a rollback")
