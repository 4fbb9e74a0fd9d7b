"""A comparison as headings, notes and small tables, for any output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from branchline.lakehouse.difference.found import ColumnFound, Moved, Sample, TableFound

__all__ = ["Part", "page"]

MANY = 10_000  # steps of a percentage: two decimals


@dataclass(frozen=True)
class Part:
    """A heading, sentences, and a table; `header` begins with the column that is text."""

    title: str
    notes: Sequence[str] = ()
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


def page(tables: Sequence[TableFound], before: str, after: str) -> Iterator[Part]:
    """The parts: one for all tables, then one for each table that differs."""
    header = ("table", f"rows {before}", f"rows {after}", f"only {before}", f"only {after}",
              "changed", "schema")
    different = [table for table in tables if table.differs_in]
    note = (f"{len(different)} of {len(tables)} {'table' if len(tables) == 1 else 'tables'} "
            f"{'differs' if len(different) == 1 else 'differ'} from {before} to {after}.")
    if not any(table.before for table in tables):
        note = f"{before} has none of these tables yet: there is nothing to compare with."
    yield Part("Tables", (note,), header, [_line(table, before, after) for table in tables])
    for table in different:
        if table.before and table.after:
            yield from _details(table, before, after)


def _line(table: TableFound, before: str, after: str) -> tuple[str, ...]:
    sides = [f"{side[1]:,}" if side else "" for side in (table.before, table.after)]
    counts = ["?" if count is None else f"{count:,}"
              for count in (table.removed, table.added, table.changed)]
    if not (table.before and table.after):
        return (table.name, *sides, "", "", "", f"only {before if table.before else after}")
    return (table.name, *sides, *counts, _schema(table))


def _schema(table: TableFound) -> str:
    changes = [column.change for column in table.columns if column.change]
    kinds = {"added": 0, "removed": 0, "changed": 0}
    for change in changes:
        kinds[change if change in kinds else "changed"] += 1
    said = [f"{count} {kind}" for kind, count in kinds.items() if count]
    return ", ".join([*said, *(["key"] if table.key_change else [])]) or "same"


def _details(table: TableFound, before: str, after: str) -> Iterator[Part]:
    rows = [_column(column, table.common) for column in table.columns
            if column.change or _is_unequal(column, table.common)]
    yield Part(table.name, tuple(_notes(table)), ("column", "equal values", "schema"), rows)
    if table.moves:
        yield Part(f"{table.name}: the largest changes", (), (
            ", ".join(table.key), "column", before, after, "change"),
            [_move(each) for each in table.moves])
    if table.samples:
        yield from _samples(table.samples, table, before, after)


def _notes(table: TableFound) -> Iterator[str]:
    assert table.before and table.after
    matched = (f"rows not compared: {table.not_matched}" if table.not_matched
               else f"matched by {', '.join(table.key)}")
    yield f"Versions {table.before[0]} and {table.after[0]}, {matched}."
    if table.key_change:
        yield f"Key: {table.key_change}."
    if table.varying:
        yield f"Not compared, another value in each run: {', '.join(table.varying)}."


def _is_unequal(column: ColumnFound, common: int | None) -> bool:
    return column.equal is not None and column.equal != common


def _column(column: ColumnFound, common: int | None) -> tuple[str, str, str]:
    change = column.change
    if change in ("added", "removed"):
        change = f"{change}, {column.after or column.before}"
    return column.name, _share(column.equal, common), change or "same"


def _share(equal: int | None, common: int | None) -> str:
    """Cut, not rounded: 100% are all."""
    if equal is None or not common:
        return ""
    return f"{equal * MANY // common / (MANY / 100):.2f}%"


def _move(each: Moved) -> tuple[str, ...]:
    change = f"{(each.after - each.before) / abs(each.before):+.1%}" if each.before else ""
    return (", ".join(map(_shown, each.key.values())), each.column,
            f"{each.before:,.6g}", f"{each.after:,.6g}", change)


def _samples(samples: Iterable[Sample], table: TableFound, before: str,
             after: str) -> Iterator[Part]:
    for kind, title in (("removed", f"only {before}"), ("added", f"only {after}")):
        rows = [each.row for each in samples if each.kind == kind]
        if rows:
            yield Part(f"{table.name}: some rows, {title}", (), tuple(rows[0]),
                       [tuple(map(_shown, row.values())) for row in rows])
    changes = [(", ".join(map(_shown, each.row.values())), column, *map(_shown, pair))
               for each in samples for column, pair in each.changes.items()]
    if changes:
        yield Part(f"{table.name}: some rows, changed", (),
                   (", ".join(table.key), "column", before, after), changes)


def _shown(value: str | None) -> str:
    return "NULL" if value is None else value
