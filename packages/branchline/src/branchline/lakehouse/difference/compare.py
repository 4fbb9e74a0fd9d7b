"""Compares two versions of a table by key: one full outer join, aggregated in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import and_
from typing import TYPE_CHECKING

from branchline.lakehouse.difference.found import ColumnFound, TableFound
from branchline.lakehouse.difference.values import equal, same_key
from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.sql import quoted
from branchline.lakehouse.state import state_of
from branchline.lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

__all__ = ["Comparison", "Side", "compare"]


@dataclass(frozen=True)
class Side:
    """A table at one Delta version, as stored: not adapted to its declaration."""

    version: int
    count: int
    key: tuple[str, ...] | None
    rows: DataFrame

    @classmethod
    def of(cls, lakehouse: Lakehouse, table: Table) -> Side | None:
        """The newest version of the table; None where it does not exist."""
        if not lakehouse.exists(table):
            return None
        version, reference = lakehouse.version(table), lakehouse.reference(table)
        at = f"{reference} VERSION AS OF {version}"
        counted = lakehouse.spark.sql(f"SELECT count(*) FROM {at}").collect()[0][0]
        key = state_of(lakehouse.spark, table, reference).key
        return cls(version, int(counted), key, lakehouse.spark.sql(f"SELECT * FROM {at}"))

    @property
    def seen(self) -> tuple[int, int]:
        return self.version, self.count

    @cached_property
    def types(self) -> dict[str, str]:
        return {field.name: field.dataType.simpleString() for field in self.rows.schema.fields}


@dataclass(frozen=True)
class Comparison:
    """Two versions of a table; `key` is what rows are matched by, `compared` the other columns."""

    before: Side
    after: Side
    key: tuple[str, ...]
    compared: tuple[str, ...]
    tolerance: float = 0

    @cached_property
    def matched(self) -> DataFrame:
        """The full outer join: columns before0, before1, ... and after0, ... of key + compared."""
        one, other = (self._side(side, name) for side, name in (
            (self.before, "before"), (self.after, "after")))
        nullable = [all(side.rows.schema[name].nullable for side in (self.before, self.after))
                    for name in self.key]
        on = reduce(and_, (same_key(*self.pair(name), null) for name, null in
                           zip(self.key, nullable, strict=True)))
        return one.join(other, on, "full_outer")

    def pair(self, name: str) -> tuple[Column, Column]:
        """The column before and after, in `matched`."""
        from pyspark.sql import functions as F
        at = (*self.key, *self.compared).index(name)
        return F.col(f"before{at}"), F.col(f"after{at}")

    def which(self, kind: str) -> Column:
        """Which rows of `matched` are `removed`, `added`, `common` or `changed`."""
        from pyspark.sql import functions as F
        gone, new = F.col("in_after").isNull(), F.col("in_before").isNull()
        common = ~gone & ~new
        same = reduce(and_, (self._equal(name) for name in self.compared), F.lit(True))
        return {"removed": gone, "added": new, "common": common, "changed": common & ~same}[kind]

    def counts(self) -> dict[str, int]:
        """How many rows are of each kind; `equal_NAME`: common rows in which NAME is equal.
        """
        from pyspark.sql import functions as F
        kinds = {kind: self.which(kind) for kind in ("removed", "added", "common", "changed")}
        same = {f"equal_{name}": kinds["common"] & self._equal(name) for name in self.compared}
        found = self.matched.agg(*(F.count_if(condition).alias(name)
                                   for name, condition in {**kinds, **same}.items())).first()
        assert found is not None
        return {name: int(value) for name, value in found.asDict().items()}

    def _equal(self, name: str) -> Column:
        types = [side.rows.schema[name].dataType for side in (self.before, self.after)]
        return equal(*self.pair(name), types[0], types[1], self.tolerance)

    def _side(self, side: Side, name: str) -> DataFrame:
        from pyspark.sql import functions as F
        return side.rows.select(
            F.lit(True).alias(f"in_{name}"), *(F.col(quoted(column)).alias(f"{name}{at}")
                                               for at, column in enumerate(
                                                   (*self.key, *self.compared))))


def compare(table: Table, before: Side | None, after: Side | None,
            tolerance: float = 0) -> tuple[TableFound, Comparison | None]:
    """How the table differs, and the comparison itself if rows could be matched.

    Args:
        tolerance: floats are equal if they differ by at most this share of the larger one.
    """
    found = TableFound(table.name, before.seen if before else None, after.seen if after else None,
                       columns=_columns(before, after))
    if before is None or after is None:
        return replace(found, not_matched="the table exists on one side only"), None
    varying = [column.name for column in table.columns if column.varies]
    key = tuple(name for name in table.key if name not in varying)
    found = replace(found, key=key, key_change=_key_change(before, after),
                    varying=tuple(name for name in varying if name in after.types))
    if problem := _unfit(key, found.columns):
        return replace(found, not_matched=problem), None
    both = [name for name in before.types if name in after.types]
    comparison = Comparison(before, after, key, tuple(
        name for name in both if name not in (*key, *varying)), tolerance)
    return _with_counts(found, comparison, comparison.counts())


def _with_counts(found: TableFound, comparison: Comparison,
                 counts: Mapping[str, int]) -> tuple[TableFound, Comparison | None]:
    # A repeated key gives more pairs than a side has rows.
    for name, side in (("removed", comparison.before), ("added", comparison.after)):
        if counts[name] + counts["common"] != side.count:
            return replace(found, not_matched=f"the key {', '.join(found.key)} is not unique"), None
    columns = tuple(replace(column, equal=counts.get(f"equal_{column.name}"))
                    for column in found.columns)
    return replace(found, columns=columns, removed=counts["removed"], added=counts["added"],
                   common=counts["common"], changed=counts["changed"]), comparison


def _columns(before: Side | None, after: Side | None) -> tuple[ColumnFound, ...]:
    one, other = (side.types if side else {} for side in (before, after))
    return tuple(ColumnFound(name, one.get(name), other.get(name)) for name in one | other)


def _key_change(before: Side, after: Side) -> str:
    if before.key is None or after.key is None or before.key == after.key:
        return ""
    return f"{', '.join(before.key)} to {', '.join(after.key)}"


def _unfit(key: Iterable[str], columns: Iterable[ColumnFound]) -> str:
    """Why rows cannot be matched by the key; empty if they can."""
    return next(_problems(tuple(key), {column.name: column for column in columns}), "")


def _problems(key: tuple[str, ...], columns: Mapping[str, ColumnFound]) -> Iterator[str]:
    if not key:
        yield "the key has only columns that vary from run to run"
    for name in key:
        if name not in columns or columns[name].change:
            yield f"key column {name} has different types on the two sides"
