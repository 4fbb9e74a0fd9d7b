"""How time and memory of the data steps grow with rows, with files and with days of history."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.cost import Cost, measured
from benchmarks.speed import Build, fastest
from branchline import Lakehouse
from fraud_detection.data.days import Span, between
from fraud_detection.data.world import World, simulate
from fraud_detection.settings import Settings
from fraud_detection.steps import ingest, prepare
from fraud_detection.steps.featurize import features
from fraud_detection.tables import FEATURES, TRANSACTIONS

FILES = (1, 100, 1_000)
HISTORY = (45, 90, 180)  # days
LONG = World(customers=5_000, terminals=10_000, days=HISTORY[-1] + 1)
LARGE = World(customers=20_000, terminals=40_000, days=157)  # four times the published rows


def run(lakehouse: Lakehouse, settings: Settings) -> None:
    """Print a table of each."""
    scratch = Path(lakehouse.root).parent / "scale"
    _by_rows(lakehouse, settings, scratch)
    _by_files(lakehouse, settings, scratch)
    _by_days(lakehouse, settings, scratch)
    shutil.rmtree(scratch, ignore_errors=True)


def _by_rows(lakehouse: Lakehouse, settings: Settings, scratch: Path) -> None:
    published = pq.read_table(settings.data)
    table = Table("rows", "step", "clock s", "CPU s", "CPU s per million rows", "memory GB",
                  "Python's", box=None)
    for part in (4, 2, 1):
        _show(table, lakehouse, settings, scratch, published.slice(0, len(published) // part))
    _show(table, lakehouse, settings, scratch, simulate(LARGE))
    Console(width=120, highlight=False).print(table)


def _show(table: Table, lakehouse: Lakehouse, settings: Settings, scratch: Path,
          rows: pa.Table) -> None:
    """Each step on these rows, from nothing."""
    tables, asked = _fresh(lakehouse, settings, scratch, rows, 1)
    for name, work in (("ingest", ingest.run), ("prepare", prepare.run),
                       ("features of all days", _all_features)):
        cost = _cost(work, tables, asked)
        table.add_row(f"{len(rows):,}", name, f"{cost.clock:.1f}", f"{cost.cpu:.1f}",
                      f"{cost.cpu / len(rows) * 1e6:.1f}", f"{cost.memory / 1e9:.1f}",
                      f"{cost.python / 1e9:.1f}")


def _all_features(lakehouse: Lakehouse, settings: Settings) -> None:
    days = _span(lakehouse)
    rows = features(lakehouse.read(TRANSACTIONS), days.first, days.last,
                    settings.label_delay_days)
    lakehouse.overwrite(FEATURES, rows, between(days.first, days.last))


def _by_files(lakehouse: Lakehouse, settings: Settings, scratch: Path) -> None:
    published = pq.read_table(settings.data)
    table = Table("files", "rows", "ingest clock s", "CPU s", "memory GB", box=None)
    for count in FILES:
        tables, asked = _fresh(lakehouse, settings, scratch, published, count)
        cost = _cost(ingest.run, tables, asked)
        table.add_row(f"{count:,}", f"{len(published):,}", f"{cost.clock:.1f}", f"{cost.cpu:.1f}",
                      f"{cost.memory / 1e9:.1f}")
    Console(width=120, highlight=False).print(table)


def _by_days(lakehouse: Lakehouse, settings: Settings, scratch: Path) -> None:
    """One day added to 45, 90 and 180 days; the first round warms up."""
    tables, asked = _fresh(lakehouse, settings, scratch, simulate(LONG), 1)
    ingest.run(tables, asked)
    prepare.run(tables, asked)
    every, build = _span(tables), Build(tables, scratch / "days")
    table = Table("days of history", "one added day, s", "ratio", box=None)
    first = 0.0
    for warmed_up, days in enumerate((HISTORY[0], *HISTORY)):
        last = every.first + timedelta(days=days)
        build(Span(every.first, last - timedelta(days=1)), "full")
        seconds = fastest(lambda: build.add(Span(last, last), "full"))
        if warmed_up:
            first = first or seconds
            table.add_row(str(days), f"{seconds:.2f}", f"{seconds / first:.2f}")
    Console(width=120, highlight=False).print(table)


def _span(lakehouse: Lakehouse) -> Span:
    ends = lakehouse.read(TRANSACTIONS).selectExpr(
        "min(event_time) AS first", "max(event_time) AS last").first()
    assert ends is not None
    return Span(ends["first"].date(), ends["last"].date())


def _fresh(lakehouse: Lakehouse, settings: Settings, scratch: Path, rows: pa.Table,
           files: int) -> tuple[Lakehouse, Settings]:
    """New tables, and these rows in the given number of files."""
    shutil.rmtree(scratch, ignore_errors=True)
    (scratch / "landing").mkdir(parents=True)
    size = -(-len(rows) // files)
    for number in range(files):
        file = scratch / "landing" / f"{number:04}.parquet"
        pq.write_table(rows.slice(number * size, size), file)
    return (Lakehouse(lakehouse.spark, str(scratch / "tables"), "bench"),
            replace(settings, data=str(scratch / "landing")))


def _cost(work: Callable[[Lakehouse, Settings], object], lakehouse: Lakehouse,
          settings: Settings) -> Cost:
    return measured(lambda: work(lakehouse, settings))
