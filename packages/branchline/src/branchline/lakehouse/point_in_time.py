"""A training set: rows of any table with an entity and a time, and what was known by then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from branchline.errors import BadInput
from branchline.lakehouse.sql import quoted
from branchline.lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import Column as Expression, DataFrame

__all__ = ["training_set"]

NONE = timedelta()


def training_set(asked: DataFrame, features: DataFrame, table: Table, by: str,
                 columns: Sequence[str], time: str | None = None,
                 known_after: Mapping[str, timedelta] | None = None) -> DataFrame:
    """The rows of `asked`, each with the feature table's `columns` as they were known at its time.

    A row gets the values of its entity's newest row in `features` that is not later than itself;
    of several at one time, that of the largest key (shorter ones first, as numbers sort). Where
    there is none they are NULL. No row is lost or doubled. One shuffle for each delay.

    Args:
        asked: any table with the columns `by` and `time`; it may have others.
        features: rows of `table`, as `lakehouse.read(table)` returns them.
        table: the feature table's declaration: its time and key.
        by: the entity, a column of both, such as `terminal_id`. Take columns that describe it.
        time: the column of `asked` with the times; by default named as the table's.
        known_after: how long after its row's time a column is known: a row with the time t counts
            from t + delay on, to the microsecond. Columns declared `delayed` need one.

    Raises:
        BadInput: a column is missing, in both, delayed without a delay, or of another type.
    """
    when, delays = time or table.time or "", dict(known_after or {})
    for problem in _problems(asked, features, table, by, columns, when, delays):
        raise BadInput(f"training set from {table.name}: {problem}")
    order, found = asked.columns, asked
    for delay in sorted({delays.get(name, NONE) for name in columns}):
        names = [name for name in columns if delays.get(name, NONE) == delay]
        found = _with_newest(found, features, table, by, when, names, delay)
    return found.select(*map(quoted, (*order, *columns)))


def _with_newest(asked: DataFrame, features: DataFrame, table: Table, by: str, time: str,
                 names: Sequence[str], delay: timedelta) -> DataFrame:
    """Both on one time line, the features' rows first; then each row's last features before it."""
    from pyspark.sql import Window, functions as F
    row, values = F.struct("*"), F.struct(*map(quoted, names))
    keys = [F.col(quoted(name)).cast("string").alias(f"key{at}")
            for at, name in enumerate(table.key)]
    micros = delay // timedelta(microseconds=1)
    known = features.where(F.col(quoted(by)).isNotNull()).select(
        F.col(quoted(by)).alias("entity"),
        (F.unix_micros(quoted(table.time or "")) + F.lit(micros)).alias("at"), *keys,
        _null_of(asked.select(row.alias("row"))), values.alias("values"))
    lines = known.unionByName(asked.select(
        F.col(quoted(by)).alias("entity"), F.unix_micros(quoted(time)).alias("at"),
        *(F.lit(None).cast("string").alias(f"key{at}") for at in range(len(keys))),
        row.alias("row"), _null_of(features.select(values.alias("values")))))
    order = [key for at in range(len(keys)) for key in (F.length(f"key{at}"), F.col(f"key{at}"))]
    until_now = (Window.partitionBy("entity").orderBy("at", F.col("row").isNotNull(), *order)
                 .rowsBetween(Window.unboundedPreceding, Window.currentRow))
    newest = F.last("values", ignorenulls=True).over(until_now)
    return (lines.withColumn("values", newest).where(F.col("row").isNotNull())
            .select("row.*", *(f"values.{quoted(name)}" for name in names)))


def _null_of(rows: DataFrame) -> Expression:
    """NULL, with name and type of the frame's only column."""
    from pyspark.sql import functions as F
    [field] = rows.schema.fields
    return F.lit(None).cast(field.dataType).alias(field.name)


def _problems(asked: DataFrame, features: DataFrame, table: Table, by: str,
              columns: Sequence[str], time: str, delays: Mapping[str, timedelta],
              ) -> Iterator[str]:
    """What is wrong with the arguments, as "found, expected, what to do"."""
    if table.time is None or not columns:
        yield ("the table declares no time; declare Table(time=...)." if table.time is None
               else "found no columns; expected the names of those to add.")
        return
    for where, rows, names in (("the asked rows have", asked, (by, time)),
                               ("the features have", features,
                                (by, table.time, *table.key, *columns))):
        if lacking := [name for name in names if name not in rows.columns]:
            yield f"{where} no column {', '.join(lacking)}; found {', '.join(rows.columns)}."
            return
    if both := [name for name in columns if name in asked.columns]:
        yield f"the asked rows have {', '.join(both)} already; rename or drop it there."
    types = [rows.schema[by].dataType.simpleString() for rows in (asked, features)]
    if types[0] != types[1]:
        yield f"column {by} is {types[0]} in the asked rows, expected {types[1]}; cast it."
    if (found := asked.schema[time].dataType.simpleString()) != "timestamp":
        yield f"column {time} is {found} in the asked rows, expected timestamp; cast it."
    delayed = {column.name for column in table.columns if column.delayed}
    if missing := [name for name in columns if name in delayed and name not in delays]:
        yield (f"{', '.join(missing)} is known later than its row's time, expected its delay; "
               "pass known_after={'" + missing[0] + "': timedelta(days=...)}.")
    if unknown := [name for name, delay in delays.items() if name not in columns or delay < NONE]:
        yield (f"known_after names {', '.join(unknown)}; expected some of {', '.join(columns)}, "
               "with a delay of 0 or more.")
