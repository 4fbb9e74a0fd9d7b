"""Labelled transactions by terminal and day: when they happened, and when their labels are known.

After one Spark aggregation, everything is arrays of terminals x days.
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
COLUMNS = ("day", "known", "rows", "frauds", "lost")


@dataclass(frozen=True)
class Counts:
    """Counts of terminals that had a fraud, and of all terminals together.

    Arrays are terminals x days, from the day `first` to the day after the last transaction, the
    last that a list is made for. `known_*` are placed on the first day at whose first second the
    label is known, the others on the day of the transaction. Labels that become known later are not
    counted.
    """

    terminals: NDArray[np.object_]
    first: date
    delay: int  # days until a label is known
    frauds: Floats
    lost: Floats  # their amount
    known_rows: Floats
    known_frauds: Floats
    known_lost: Floats
    first_fraud: Ints  # day of the earliest fraud that becomes known on a day, else NEVER
    last_fraud: Ints  # day of the latest such fraud, else -1
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
    """One row for each terminal, day and day known: terminal_id, day, known, rows, frauds, lost.

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
    start, days, columns = _days(table)
    is_known = columns["known"] < days
    had_fraud = np.bincount(terminal, columns["frauds"] * is_known, len(names)) > 0
    kept = np.flatnonzero(is_known & had_fraud[terminal])
    row, size = (np.cumsum(had_fraud) - 1)[terminal[kept]], (int(had_fraud.sum()), days)
    day, known, rows, frauds, lost = (columns[name][kept] for name in COLUMNS)
    all_rows, all_frauds = (_sums(0 * columns["known"][is_known], columns["known"][is_known],
                                  columns[name][is_known], (1, days))[0]
                            for name in ("rows", "frauds"))
    return Counts(
        names[had_fraud], start, delay, _sums(row, day, frauds, size), _sums(row, day, lost, size),
        _sums(row, known, rows, size), _sums(row, known, frauds, size),
        _sums(row, known, lost, size),
        *_extremes(row[frauds > 0], known[frauds > 0], day[frauds > 0], size),
        all_rows, all_frauds)


def _days(table: pa.Table) -> tuple[date, int, dict[str, Ints]]:
    """The first day, the number of days up to the last list, and the columns from that day on."""
    columns = {name: table[name].to_numpy() for name in COLUMNS}
    start = int(columns["day"].min())
    shifted = {name: columns[name].astype(np.int64) - start for name in ("day", "known")}
    return (EPOCH + timedelta(days=start), int(shifted["day"].max()) + 2, columns | shifted)


def _terminals(table: pa.Table) -> tuple[NDArray[np.object_], Ints]:
    """The terminals' names in order, and which of them each row is of."""
    coded = table["terminal_id"].combine_chunks().dictionary_encode()
    names = coded.dictionary.to_numpy(zero_copy_only=False)
    order = np.argsort(names, kind="stable")
    return names[order], np.argsort(order)[coded.indices.to_numpy()]


def _sums(row: Ints, day: Ints, values: Ints, size: tuple[int, int]) -> Floats:
    sums = np.bincount(row * size[1] + day, values.astype(float), size[0] * size[1])
    return sums.astype(np.float64).reshape(size)


def _extremes(row: Ints, known: Ints, day: Ints, size: tuple[int, int]) -> tuple[Ints, Ints]:
    """The first and the last of the days in each cell of row and day known."""
    earliest, latest = np.full(size, NEVER), np.full(size, -1)
    np.minimum.at(earliest, (row, known), day)
    np.maximum.at(latest, (row, known), day)
    return earliest, latest
