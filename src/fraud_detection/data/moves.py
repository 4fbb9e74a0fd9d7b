"""Moves rows by hand from silver to quarantine; safe to kill and repeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import DataFrame, functions as F

from branchline import Lakehouse
from branchline.lakehouse.appends import append_once
from branchline.lakehouse.conditions import chosen, told_in_one_line
from fraud_detection.data import times
from fraud_detection.data.days import day_of
from fraud_detection.tables import BRONZE_TRANSACTIONS, QUARANTINE, TRANSACTIONS

__all__ = ["Moved", "finish_move", "move", "moved_by_hand"]

MARK = "moved: "
KEY = list(QUARANTINE.key)
WRITER = "reject"
EARLIEST, LATEST = (date(1970, 1, 1) + timedelta(milliseconds=limit)
                    for limit in (times.EARLIEST, times.LATEST))  # as of a date that is given


@dataclass(frozen=True)
class Moved:
    """How many rows were moved, and their first and last day."""

    rows: int = 0
    first: date | None = None
    last: date | None = None

    def __add__(self, other: Moved) -> Moved:
        days = [day for day in (self.first, self.last, other.first, other.last) if day]
        return Moved(self.rows + other.rows, min(days, default=None), max(days, default=None))

    def seen_on(self, look_back_days: int) -> tuple[date, date] | None:
        """The first and last day with features computed from one of the rows; None without rows."""
        if self.first is None or self.last is None:
            return None
        latest = min(self.last, LATEST - timedelta(days=look_back_days))
        return max(self.first, EARLIEST), latest + timedelta(days=look_back_days)


def move(lakehouse: Lakehouse, where: str, reason: str) -> Moved:
    """Move the rows of silver that meet the condition; also finishes an earlier killed call.

    Quarantine gets them as they landed. That append comes first: until silver is changed, the rows
    are in both tables, which `finish_move` recognises by the reason.

    Raises:
        BadInput: `where` is not a condition on silver's columns.
    """
    silver = lakehouse.read(TRANSACTIONS)
    found = chosen(silver, where).select(*KEY)
    left = _delete_moved(lakehouse)
    with told_in_one_line(where):
        landed = lakehouse.read(BRONZE_TRANSACTIONS).join(found, KEY, "left_semi")
        if landed.isEmpty():
            return left
        append_once(lakehouse, QUARANTINE, landed.withColumn("reason", F.lit(MARK + reason)),
                    WRITER, lakehouse.version(QUARANTINE) + 1, where=where)
    return left + _delete_moved(lakehouse)


def finish_move(lakehouse: Lakehouse) -> bool:
    """Finish what a killed call left; returns whether there was something."""
    return _delete_moved(lakehouse).rows > 0


def moved_by_hand(lakehouse: Lakehouse) -> int:
    """How many rows of quarantine were moved there by hand."""
    return _by_hand(lakehouse).count() if lakehouse.exists(QUARANTINE) else 0


def _by_hand(lakehouse: Lakehouse) -> DataFrame:
    return lakehouse.read(QUARANTINE).where(F.col("reason").startswith(MARK)).select(*KEY)


def _delete_moved(lakehouse: Lakehouse) -> Moved:
    """Delete from silver the rows that were moved to quarantine by hand."""
    moved = _by_hand(lakehouse)
    there = _summary(lakehouse.read(TRANSACTIONS).join(moved, KEY, "left_semi"))
    if there.rows:
        lakehouse.delete(TRANSACTIONS, moved)
    return there


def _summary(rows: DataFrame) -> Moved:
    day = F.expr(day_of())
    found = rows.agg(F.count("*").alias("rows"), F.min(day).alias("first"),
                     F.max(day).alias("last")).first()
    return Moved(**found.asDict()) if found else Moved()
