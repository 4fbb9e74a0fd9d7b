"""Labelled transactions by terminal and day: when they happened, and when their labels are known.

Everything behind it is arrays of terminals x days: one Spark aggregation, no rows after that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame, functions as F

from branchline import BadInput
from branchline.features.kernel import DAY

__all__ = ["Counts", "Floats", "Ints", "aggregated", "grids"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
EPOCH = date(1970, 1, 1)
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Counts:
    """Counts of terminals that had a fraud, and of all terminals together.

    Arrays are terminals x days, from the day `first` to the day after the last transaction, the
    last that a list is made for. `known_*` are placed on the first day at whose first second the
    label is known, the others on the day of the transaction. No label that is known later is in.
    """

    terminals: NDArray[np.object_]
    first: date
    delay: int  # days until a label is known
    frauds: Floats
    lost: Floats  # their amount
    known_rows: Floats
    known_frauds: Floats
    known_lost: Floats
    first_fraud: Ints  # day of the earliest of the frauds that become known on a day, else NEVER
    last_fraud: Ints  # day of the latest of them, else -1
    all_known_rows: Floats  # by day, of all terminals
    all_known_frauds: Floats

    @property
    def days(self) -> int:
        return int(self.frauds.shape[1])

    def day(self, index: int) -> date:
        return self.first + timedelta(days=int(index))

    def index(self, day: date) -> int:
        return (day - self.first).days


def aggregated(transactions: DataFrame, delay: int) -> pa.Table:
    """A row for each terminal, day and day known: terminal_id, day, known, rows, frauds, lost.

    Days are counted from 1970-01-01 UTC. The label of a transaction at t is known at t + `delay`
    days, to the millisecond; `known` is the first day that begins then or later. Unlabelled rows
    count for the last day alone: `rows` 0.
    """
    time = f"(unix_millis(event_time) + {DAY} * {{}})"
    fraud = F.coalesce(F.col("is_fraud"), F.lit(0)) == 1
    return transactions.groupBy(
        "terminal_id",
        F.expr(f"CAST(floor({time.format(0)} / {DAY}) AS INT)").alias("day"),
        F.expr(f"CAST(ceil({time.format(delay)} / {DAY}) AS INT)").alias("known"),
    ).agg(F.count("is_fraud").alias("rows"), F.count(F.when(fraud, 1)).alias("frauds"),
          F.sum(F.when(fraud, F.col("amount")).otherwise(0.0)).alias("lost")).toArrow()


def grids(table: pa.Table, delay: int) -> Counts:
    """The counts of `aggregated` rows.

    Raises:
        BadInput: there is no row.
    """
    if table.num_rows == 0:
        raise BadInput("silver.transactions is empty; there is nothing to watch. See "
                       "silver.quarantine for rows that were rejected.")
    names, terminal = _terminals(table)
    day, known, rows, frauds = (table[name].to_numpy().astype(np.int64)
                                for name in ("day", "known", "rows", "frauds"))
    lost, start, days = table["lost"].to_numpy(), day.min(), int(day.max() - day.min() + 2)
    day, known = day - start, known - start
    is_known = known < days
    had_fraud = np.bincount(terminal, frauds * is_known, len(names)) > 0
    place = (np.cumsum(had_fraud) - 1)[terminal]
    shape, kept = (int(had_fraud.sum()), days), np.flatnonzero(is_known & had_fraud[terminal])
    happened, told = place[kept] * days + day[kept], place[kept] * days + known[kept]

    def summed(cells: Ints, values: Floats | Ints) -> Floats:
        return _summed(cells, values[kept], shape[0] * days).reshape(shape)

    all_rows, all_frauds = (_summed(known[is_known], values[is_known], days)
                            for values in (rows, frauds))
    first_fraud, last_fraud = _extremes(told, day[kept], frauds[kept] > 0, shape)
    return Counts(
        names[had_fraud], EPOCH + timedelta(days=int(start)), delay, summed(happened, frauds),
        summed(happened, lost), summed(told, rows), summed(told, frauds), summed(told, lost),
        first_fraud, last_fraud, all_rows, all_frauds)


def _terminals(table: pa.Table) -> tuple[NDArray[np.object_], Ints]:
    """The terminals' names in order, and which of them each row is of."""
    coded = table["terminal_id"].combine_chunks().dictionary_encode()
    names = coded.dictionary.to_numpy(zero_copy_only=False)
    order = np.argsort(names, kind="stable")
    return names[order], np.argsort(order)[coded.indices.to_numpy()]


def _summed(cells: Ints, values: Floats | Ints, size: int) -> Floats:
    return np.bincount(cells, values.astype(float), size).astype(np.float64)


def _extremes(cells: Ints, day: Ints, fraud: NDArray[np.bool_],
              shape: tuple[int, int]) -> tuple[Ints, Ints]:
    earliest, latest = np.full(shape[0] * shape[1], NEVER), np.full(shape[0] * shape[1], -1)
    np.minimum.at(earliest, cells[fraud], day[fraud])
    np.maximum.at(latest, cells[fraud], day[fraud])
    return earliest.reshape(shape), latest.reshape(shape)
