"""A step in every pipeline: how this branch's tables differ from another branch's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from branchline.errors import BadInput
from branchline.lakehouse import Lakehouse, Table
from branchline.lakehouse.difference import (Comparison, Sample, Side, TableFound, compare,
                                             largest_moves)
from branchline.records import encoded
from branchline.runs.shown_difference import ARTIFACT, DIFF, FORMAT
from branchline.show import as_lines, find_table
from branchline.steps import Step

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["diff_step"]


def diff_step(tables: Iterable[Table]) -> Step:
    """The step: the settings' `table`s, else all, against those in the schema of `against`.

    The result is a JSON artifact. Counts: `rows` in both branches, `tables` compared, `different`
    ones among them. It only reads, and takes no lock on the tables.
    """
    known = tuple(tables)

    def run(lakehouse: Lakehouse, settings: Any) -> Mapping[str, int]:
        import mlflow
        found = differences(lakehouse, settings, known)
        content = {"before": replace(settings, schema=settings.against).tables_schema,
                   "after": settings.tables_schema, "tolerance": settings.tolerance,
                   "tables": [each.to_json() for each in found]}
        mlflow.log_text(encoded(FORMAT.written(content)).decode(), ARTIFACT)
        return {"rows": sum(each.common or 0 for each in found), "tables": len(found),
                "different": sum(bool(each.differs_in) for each in found)}

    return Step(DIFF, run, on_request=True)


def differences(lakehouse: Lakehouse, settings: Any, known: Sequence[Table]) -> list[TableFound]:
    """The differences of each table that exists in at least one of the branches.

    Raises:
        BadInput: `against` is not given, a table is unknown, or neither branch has any.
    """
    if not settings.against:
        raise BadInput("parameter against is ''; expected the schema of the branch to compare "
                       "with, as `branchline diff` passes it.")
    names = [name.strip() for name in settings.table.split(",") if name.strip()]
    asked = [find_table(name, known) for name in names] or known
    before = Lakehouse(lakehouse.spark, lakehouse.root,
                       replace(settings, schema=settings.against).tables_schema, lakehouse.files)
    there = [table for table in asked if lakehouse.exists(table) or before.exists(table)]
    if not there:
        raise BadInput(f"none of the {len(asked)} tables is in schema {before.schema} or "
                       f"{lakehouse.schema} of {lakehouse.root}; run the project first, or name "
                       "the data of its runs (-P data=...).")
    return [_difference(table, before, lakehouse, settings) for table in there]


def _difference(table: Table, before: Lakehouse, after: Lakehouse, settings: Any) -> TableFound:
    found, comparison = compare(table, Side.of(before, table), Side.of(after, table),
                                settings.tolerance)
    if comparison is None:
        return found
    return replace(found, moves=largest_moves(comparison) if table.kpis else (),
                   samples=tuple(_samples(comparison, settings.samples)))


def _samples(comparison: Comparison, most: int) -> list[Sample]:
    """Up to `most` rows of each kind, as text."""
    if not most:
        return []
    found = []
    for kind in ("removed", "added", "changed"):
        rows = comparison.matched.where(comparison.which(kind)).limit(most).toArrow()
        sides = [_texts(comparison, rows, side) for side in ("before", "after")]
        found += [_sample(comparison.key, kind, *pair) for pair in zip(*sides, strict=True)]
    return found


def _texts(comparison: Comparison, rows: pa.Table, side: str) -> list[dict[str, str | None]]:
    names = [*comparison.key, *comparison.compared]
    columns = rows.select([f"{side}{at}" for at in range(len(names))]).rename_columns(names)
    return [json.loads(line) for line in as_lines(columns).splitlines()]


def _sample(key: Sequence[str], kind: str, before: Mapping[str, str | None],
            after: Mapping[str, str | None]) -> Sample:
    if kind != "changed":
        return Sample(kind, before if kind == "removed" else after, {})
    return Sample(kind, {name: after[name] for name in key}, {
        name: (before[name], value) for name, value in after.items() if before[name] != value})
