"""Counts from a few lines: frauds and genuine transactions of terminals, by day."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from terminal_watch.counts import Counts, grids

DELAY = 7
Row = tuple[str, int, int, int]  # terminal, day from 0, transactions, frauds among them


def table(rows: Iterable[Row], delay: int = DELAY) -> pa.Table:
    """As `aggregated` makes it: transactions within the day, a fraud's amount is 10."""
    columns = [list(each) for each in zip(*rows, strict=True)]
    terminal, day, count, frauds = columns
    return pa.table({
        "terminal_id": pa.array(terminal, pa.string()), "day": pa.array(day, pa.int32()),
        "known": pa.array([each + delay + 1 for each in day], pa.int32()),
        "rows": pa.array(count, pa.int64()), "frauds": pa.array(frauds, pa.int64()),
        "lost": pa.array([10.0 * each for each in frauds], pa.float64())})


def counts(*rows: Row, days: int, delay: int = DELAY) -> Counts:
    """The counts of the rows and of a terminal `quiet` without frauds, on days 0 to days - 1."""
    quiet = [("quiet", day, 20, 0) for day in range(days)]
    return grids(table([*rows, *quiet], delay), delay)


def compromised(terminal: str, first: int, last: int, a_day: int = 1) -> list[Row]:
    return [(terminal, day, a_day, a_day) for day in range(first, last + 1)]


def genuine(terminal: str, first: int, last: int, a_day: int = 1) -> list[Row]:
    return [(terminal, day, a_day, 0) for day in range(first, last + 1)]
