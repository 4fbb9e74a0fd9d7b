"""The figures of a KPI table that moved most."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

from branchline.lakehouse.difference.compare import Comparison
from branchline.lakehouse.difference.found import Moved

__all__ = ["largest_moves", "ranked"]

SMALL = 10_000  # rows of the largest table whose figures are compared one by one
SHOWN = 10


def largest_moves(comparison: Comparison) -> tuple[Moved, ...]:
    """The figures that moved most; none in a table of many rows."""
    from pyspark.sql import types as T
    names = [name for name in comparison.compared
             if all(isinstance(side.rows.schema[name].dataType, T.NumericType)
                    for side in (comparison.before, comparison.after))]
    if not names or max(comparison.before.count, comparison.after.count) > SMALL:
        return ()
    keys = [comparison.pair(name)[0].cast("string").alias(f"key{at}")
            for at, name in enumerate(comparison.key)]
    figures = [column.cast("double") for name in names for column in comparison.pair(name)]
    rows = comparison.matched.where(comparison.which("common")).select(*keys, *figures).collect()
    found = []
    for row in rows:
        key = dict(zip(comparison.key, row[:len(keys)], strict=True))
        pairs = zip(row[len(keys)::2], row[len(keys) + 1::2], strict=True)
        found += [Moved(key, name, *pair) for name, pair in zip(names, pairs, strict=True)
                  if None not in pair and all(map(isfinite, pair))]
    return ranked(found)


def ranked(figures: Iterable[Moved]) -> tuple[Moved, ...]:
    """The changed figures, ordered by the change relative to the column's mean before."""
    figures = list(figures)
    sizes: dict[str, list[float]] = {}
    for each in figures:
        sizes.setdefault(each.column, []).append(abs(each.before))
    scale = {name: sum(values) / len(values) or 1.0 for name, values in sizes.items()}
    moved = [each for each in figures if each.before != each.after]
    moved.sort(key=lambda each: abs(each.after - each.before) / scale[each.column], reverse=True)
    return tuple(moved[:SHOWN])
