"""The feature build, silver Delta to a table of features, against DuckDB's windows and pandas."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame
from rich.console import Console
from rich.table import Table

from benchmarks.cost import Family
from benchmarks.windows import DELAY, duckdb_windows, pandas_windows, spark_windows
from branchline.lakehouse import Lakehouse
from fraud_detection.data.days import Span, between
from fraud_detection.settings import Settings
from fraud_detection.steps.featurize import features
from fraud_detection.tables import FEATURES, TRANSACTIONS

SLICE_DAYS = 45
WARM_UP = 6  # until the JVM has compiled what it runs often
PAIRS = 4


def run(lakehouse: Lakehouse, settings: Settings) -> None:
    """Print the table of ratios; every pair is measured on the same rows, in turn."""
    silver = lakehouse.read(TRANSACTIONS)
    ends = silver.selectExpr("min(event_time) AS first", "max(event_time) AS last").first()
    assert ends is not None
    every = Span(ends["first"].date(), ends["last"].date())
    build = Build(lakehouse, Path(lakehouse.root).parent / "speed")
    table = Table("feature build", "rows", "seconds", "rows/s", "ratio", box=None)
    memory = Family()
    with memory:
        compare_duckdb(table, build, every)
        compare_spark(table, build, every)
        compare_pandas(table, build, every)
        compare_sizes(table, build, every)
    Console(width=120, highlight=False).print(table)
    print(f"\npeak memory, sampled: {memory.peak / 1e9:.1f} GB, of it the JVM "
          f"{(memory.peak - memory.python) / 1e9:.1f} GB")


def compare_duckdb(table: Table, build: Build, every: Span) -> None:
    rows = build.transactions.count()
    for _ in range(WARM_UP):
        build(every, "published")
    pairs = [(timed(lambda: build(every, "published")),
              timed(lambda: duckdb_windows(build.transactions, build.scratch)))
             for _ in range(PAIRS)]
    mine, theirs = (min(column) for column in zip(*pairs, strict=True))
    show(table, "Branchline, the published 15", rows, mine, "")
    show(table, "DuckDB windows to Parquet, the same 15", rows, theirs,
         f"{theirs / mine:.2f} of DuckDB's speed")


def show(table: Table, name: str, rows: int, seconds: float, ratio: str) -> None:
    table.add_row(name, f"{rows:,}", f"{seconds:.2f}", f"{rows / seconds:,.0f}", ratio)


def fastest(work: Callable[[], object]) -> float:
    return min(timed(work) for _ in range(PAIRS))


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Build:
    """silver Delta -> features -> gold.features Delta, in a lakehouse of its own."""

    def __init__(self, lakehouse: Lakehouse, scratch: Path) -> None:
        self.transactions = lakehouse.read(TRANSACTIONS)
        self.scratch = scratch
        self.gold = Lakehouse(lakehouse.spark, str(scratch), "bench")

    def __call__(self, days: Span, kind: str) -> None:
        """Into a new table."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.add(days, kind)

    def add(self, days: Span, kind: str) -> None:
        """Into the table that is there, replacing these days."""
        found = features(self.transactions, days.first, days.last, DELAY, kind)
        columns = tuple(column for column in FEATURES.columns if column.name in found.columns)
        self.gold.overwrite(replace(FEATURES, columns=columns), found,
                            between(days.first, days.last))


def compare_spark(table: Table, build: Build, every: Span) -> None:
    """The published 15 by Spark's own range windows, into a Delta table and to nowhere."""
    rows = build.transactions.count()

    def ours() -> None:
        compute(features(build.transactions, every.first, every.last, DELAY, "published"))

    for end, mine, theirs in (
            ("", lambda: build(every, "published"),
             lambda: to_delta(spark_windows(build.transactions), build.scratch)),
            (", not written", ours, lambda: compute(spark_windows(build.transactions)))):
        pairs = [(timed(mine), timed(theirs)) for _ in range(2)]
        fast, slow = (min(column) for column in zip(*pairs, strict=True))
        show(table, f"Branchline, the published 15{end}", rows, fast, "")
        show(table, f"Spark's range windows, the same 15{end}", rows, slow,
             f"Branchline {slow / fast:.1f} times as fast")


def to_delta(rows: DataFrame, folder: Path) -> None:
    rows.write.format("delta").mode("overwrite").save(str(folder / "windows"))


def compute(rows: DataFrame) -> None:
    """All rows and columns, written nowhere."""
    rows.write.format("noop").mode("overwrite").save()


def compare_pandas(table: Table, build: Build, every: Span) -> None:
    """The published algorithm (pandas rolling windows, entity by entity) on a slice of days."""
    days = Span(every.first, every.first + timedelta(days=SLICE_DAYS - 1))
    rows = (build.transactions.where(between(days.first, days.last))
            .toArrow().to_pandas().sort_values("event_time"))
    ours = fastest(lambda: build(days, "published"))
    theirs = timed(lambda: pandas_windows(rows))
    show(table, f"Branchline, the 15, {SLICE_DAYS} days", len(rows), ours, "")
    show(table, f"published pandas code, the 15, {SLICE_DAYS} days", len(rows), theirs,
         f"{theirs / ours:.1f} times as fast")


def compare_sizes(table: Table, build: Build, every: Span) -> None:
    """A quarter, half and all of the days; then the last days, each added to all before it."""
    whole = 0.0
    for part in (4, 2, 1):
        days = Span(every.first, every.first + timedelta(days=every.count // part - 1))
        rows = build.transactions.where(between(days.first, days.last)).count()
        whole = fastest(lambda: build(days, "full"))
        show(table, f"Branchline, all 26, 1/{part} of the days", rows, whole, "")
    build(Span(every.first, every.last - timedelta(days=PAIRS)), "full")
    added = [every.last - timedelta(days=ago) for ago in reversed(range(PAIRS))]
    day = min(timed(partial(build.add, Span(at, at), "full")) for at in added)
    rows = build.transactions.where(between(added[0], every.last)).count() // PAIRS
    show(table, "Branchline, all 26, one added day", rows, day, f"{day / whole:.0%} of all days")
