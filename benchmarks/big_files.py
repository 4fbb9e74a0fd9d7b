"""Ingest of one large file of each format, and of many small ones in one batch."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.cost import Cost, measured
from branchline import Lakehouse
from fraud_detection.data.world import World, simulate
from fraud_detection.settings import Settings
from fraud_detection.steps import ingest

BYTES = int(float(os.environ.get("BIG_FILE_GB", "0.5")) * 1e9)
SMALL_FILES, SMALL_ROWS = 5_000, 40
QUOTED = ("TX_DATETIME",)
PROCESSES = multiprocessing.get_context("spawn")


def run(lakehouse: Lakehouse, settings: Settings) -> None:
    """Clock, cores kept busy and memory of each; the JVM's heap is the session's own memory."""
    scratch = Path(lakehouse.root).parent / "big_files"
    rows = simulate(World()).drop_columns(["TX_FRAUD_SCENARIO"])
    table = Table("files", "rows", "GB", "clock s", "MB/s", "cores busy", "Python's memory GB",
                  "JVM's memory GB", box=None)
    for name, write in (("one .parquet", _parquet), ("one .csv", _csv), ("one .jsonl", _json),
                        (f"{SMALL_FILES:,} .csv", _small)):
        shutil.rmtree(scratch, ignore_errors=True)
        (scratch / "landing").mkdir(parents=True)
        writer = PROCESSES.Process(target=write, args=(rows, scratch / "landing"))
        writer.start()  # a process of its own, so that its memory is not counted
        writer.join()
        if writer.exitcode:
            sys.exit(f"{name} could not be written")
        size = sum(file.stat().st_size for file in (scratch / "landing").iterdir())
        cost, taken = _ingested(lakehouse, settings, scratch)
        table.add_row(name, f"{taken:,}", f"{size / 1e9:.2f}", f"{cost.clock:.1f}",
                      f"{size / 1e6 / cost.clock:.0f}", f"{cost.cpu / cost.clock:.1f}",
                      f"{cost.python / 1e9:.2f}", f"{(cost.memory - cost.python) / 1e9:.2f}")
    shutil.rmtree(scratch, ignore_errors=True)
    Console(width=120, highlight=False).print(table)


def _ingested(lakehouse: Lakehouse, settings: Settings, scratch: Path) -> tuple[Cost, int]:
    tables = Lakehouse(lakehouse.spark, str(scratch / "tables"), "bench")
    counts: dict[str, int] = {}
    data = replace(settings, data=str(scratch / "landing"))
    cost = measured(lambda: counts.update(ingest.run(tables, data)))
    return cost, counts["rows"]


def _numbered(rows: pa.Table, part: int) -> pa.Table:
    ids = pa.array(np.arange(len(rows)) + part * len(rows))
    return rows.set_column(0, "TRANSACTION_ID", ids)


def _parts(rows: pa.Table, file: Path) -> Iterator[pa.Table]:
    """The same rows under new ids, until the file is large enough."""
    part = 0
    while not file.exists() or file.stat().st_size < BYTES:
        yield _numbered(rows, part)
        part += 1


def _parquet(rows: pa.Table, folder: Path) -> None:
    file = folder / "big.parquet"
    with pq.ParquetWriter(file, rows.schema, use_dictionary=False, compression="none") as writer:
        for part in _parts(rows, file):
            writer.write_table(part)


def _csv(rows: pa.Table, folder: Path) -> None:
    file = folder / "big.csv"
    with open(file, "wb") as sink:
        for number, part in enumerate(_parts(rows, file)):
            csv.write_csv(part, sink, csv.WriteOptions(include_header=not number,
                                                       quoting_style="none"))


def _json(rows: pa.Table, folder: Path) -> None:
    file = folder / "big.jsonl"
    with open(file, "wb") as sink:
        for part in _parts(rows, file):
            sink.write("\n".join(_lines(part).to_pylist()).encode() + b"\n")


def _lines(rows: pa.Table) -> pa.ChunkedArray:
    """Each row as an object of JSON."""
    parts: list[object] = []
    for number, name in enumerate(rows.column_names):
        mark = '"' if name in QUOTED else ""
        parts += [f'{", " if number else "{"}"{name}": {mark}',
                  pc.cast(rows.column(name), pa.string()), mark]
    return pc.binary_join_element_wise(*parts, "}", "")


def _small(rows: pa.Table, folder: Path) -> None:
    for number in range(SMALL_FILES):
        start = number * SMALL_ROWS % (len(rows) - SMALL_ROWS)
        csv.write_csv(rows.slice(start, SMALL_ROWS), folder / f"{number:04d}.csv")
