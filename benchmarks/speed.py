"""The feature build, silver Delta to a table of features, against DuckDB's windows and pandas."""

from __future__ import annotations

import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import psutil
from rich.console import Console
from rich.table import Table

from branchline.lakehouse import Lakehouse
from fraud_detection.days import between
from fraud_detection.featurize import features
from fraud_detection.settings import Settings
from fraud_detection.tables import FEATURES, TRANSACTIONS

SLICE_DAYS = 45
ROUNDS = 3
WINDOWS = (1, 7, 30)
DELAY = 7


def run(lakehouse: Lakehouse, settings: Settings) -> None:
    """Print the table of ratios; every pair is measured on the same rows, in turn."""
    silver = lakehouse.read(TRANSACTIONS)
    ends = silver.selectExpr("min(event_time) AS first", "max(event_time) AS last").first()
    assert ends is not None
    first, last = ends["first"].date(), ends["last"].date()
    scratch = Path(lakehouse.root).parent / "speed"
    files = [file.removeprefix("file:") for file in silver.inputFiles()]

    def ours(kind: str = "published", start: date = first, end: date = last) -> float:
        return timed(lambda: build(lakehouse, scratch, start, end, kind))

    ours()
    table = Table("feature build", "rows", "seconds", "rows/s", "ratio", box=None)
    pairs = [(ours(), timed(lambda: duckdb_build(files, scratch))) for _ in range(ROUNDS)]
    mine, theirs = (min(column) for column in zip(*pairs, strict=True))
    rows = silver.count()
    show(table, "Branchline, the published 15", rows, mine, "")
    show(table, "DuckDB windows to Parquet, the same 15", rows, theirs,
         f"{theirs / mine:.2f} of DuckDB's speed")
    whole = ours("full")
    show(table, "Branchline, all 26", rows, whole, "")
    compare_pandas(table, lakehouse, scratch, first)
    compare_sizes(table, silver, ours, first, last, whole)
    Console(width=120, highlight=False).print(table)
    driver = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"\nmemory: driver at most {driver:.2f} GB, JVM and workers {children_gb():.2f} GB")


def show(table: Table, name: str, rows: int, seconds: float, ratio: str) -> None:
    table.add_row(name, f"{rows:,}", f"{seconds:.2f}", f"{rows / seconds:,.0f}", ratio)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def build(lakehouse: Lakehouse, scratch: Path, first: date, last: date, kind: str) -> None:
    """silver Delta -> features -> a new Delta table."""
    found = features(lakehouse.read(TRANSACTIONS), first, last, DELAY, kind)
    columns = tuple(column for column in FEATURES.columns if column.name in found.columns)
    shutil.rmtree(scratch, ignore_errors=True)
    fresh = Lakehouse(lakehouse.spark, str(scratch), "bench")
    fresh.overwrite(replace(FEATURES, columns=columns), found, between(first, last))


def duckdb_build(files: list[str], scratch: Path) -> None:
    """The published 15 with range windows, over the same Parquet files, into a Parquet file."""
    def window(entity: str, days: int, delay: int) -> str:
        upto = f"{delay} DAYS PRECEDING" if delay else "CURRENT ROW"
        return (f"OVER (PARTITION BY {entity} ORDER BY event_time RANGE BETWEEN INTERVAL "
                f"{days + delay} DAYS PRECEDING AND INTERVAL {upto})".replace(
                    "INTERVAL CURRENT", "CURRENT"))

    columns = []
    for days in WINDOWS:
        columns += [f"count(*) {window('customer_id', days, 0)} AS customer_count_{days}d",
                    f"avg(amount) {window('customer_id', days, 0)} AS customer_mean_{days}d"]
        terminal = window("terminal_id", days, DELAY)
        columns += [f"count(*) {terminal} AS terminal_count_{days}d",
                    f"coalesce(avg(is_fraud) {terminal}, 0) AS terminal_rate_{days}d"]
    duckdb.sql(
        "COPY (SELECT transaction_id, event_time, customer_id, terminal_id, is_fraud, amount, "
        "dayofweek(event_time) IN (0, 6) AS weekend, hour(event_time) <= 6 AS night, "
        f"{', '.join(columns)} FROM (SELECT * REPLACE (event_time::TIMESTAMP AS event_time) "
        f"FROM read_parquet({files!r}))) TO '{scratch}/duckdb.parquet'")


def compare_pandas(table: Table, lakehouse: Lakehouse, scratch: Path, first: date) -> None:
    """The published algorithm (pandas rolling windows, entity by entity) on a slice of days."""
    last = first + timedelta(days=SLICE_DAYS - 1)
    rows = (lakehouse.read(TRANSACTIONS).where(between(first, last))
            .toArrow().to_pandas().sort_values("event_time"))
    ours = min(timed(lambda: build(lakehouse, scratch, first, last, "published"))
               for _ in range(ROUNDS))
    theirs = timed(lambda: pandas_build(rows))
    show(table, f"Branchline, the 15, {SLICE_DAYS} days", len(rows), ours, "")
    show(table, f"published pandas code, the 15, {SLICE_DAYS} days", len(rows), theirs,
         f"{theirs / ours:.1f} times as fast")


def pandas_build(rows: pd.DataFrame) -> pd.DataFrame:
    """Windows as the handbook's chapter 3 describes them: rolling by time within each entity."""
    def customer(group: pd.DataFrame) -> pd.DataFrame:
        for days in WINDOWS:
            amounts = group["amount"].rolling(f"{days}d")
            group[f"customer_count_{days}d"] = amounts.count()
            group[f"customer_mean_{days}d"] = amounts.sum() / group[f"customer_count_{days}d"]
        return group

    def terminal(group: pd.DataFrame) -> pd.DataFrame:
        fraud = group["is_fraud"].rolling(f"{DELAY}d")
        for days in WINDOWS:
            both = group["is_fraud"].rolling(f"{DELAY + days}d")
            count = both.count() - fraud.count()
            group[f"terminal_count_{days}d"] = count
            group[f"terminal_rate_{days}d"] = ((both.sum() - fraud.sum()) / count).fillna(0)
        return group

    indexed = rows.set_index("event_time")
    indexed = pd.concat([customer(group.copy()) for _, group in indexed.groupby("customer_id")])
    return pd.concat([terminal(group.copy()) for _, group in
                      indexed.sort_index().groupby("terminal_id")])


def compare_sizes(table: Table, silver: object, ours: Callable[..., float], first: date,
                  last: date, whole: float) -> None:
    """A quarter, half and all of the days; and one added day on the full history."""
    days = (last - first).days + 1
    for part in (4, 2, 1):
        end = first + timedelta(days=days // part - 1)
        rows = silver.where(between(first, end)).count()  # type: ignore[attr-defined]
        show(table, f"Branchline, all 26, 1/{part} of the days", rows,
             min(ours("full", first, end) for _ in range(ROUNDS)), "")
    rows = silver.where(between(last, last)).count()  # type: ignore[attr-defined]
    day = min(ours("full", last, last) for _ in range(ROUNDS))
    show(table, "Branchline, all 26, one added day", rows, day, f"{day / whole:.0%} of all days")


def children_gb() -> float:
    family = psutil.Process().children(recursive=True)
    return sum(process.memory_info().rss for process in family) / 1e9
