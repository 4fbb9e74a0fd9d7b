"""Ingest and prepare against Spark's own copy of the file to Delta, in one session, in turn."""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.cost import Cost, measured
from branchline import Lakehouse
from fraud_detection.settings import Settings
from fraud_detection.steps import ingest, prepare

ROUNDS = 3  # the first while the JVM still compiles


def run(lakehouse: Lakehouse, settings: Settings) -> None:
    """Print what each step costs in each round, and ratios to the copy's cheaper neighbour."""
    scratch = Path(lakehouse.root).parent / "data_in"
    table = Table("round", "step", "clock s", "CPU s", "memory GB", "clock ratio", "CPU ratio",
                  box=None)
    for number in range(1, ROUNDS + 1):
        copies = [measured(lambda: copy(lakehouse, settings, scratch))]
        steps = once(Lakehouse(lakehouse.spark, str(scratch), "bench"), settings, scratch)
        copies.append(measured(lambda: copy(lakehouse, settings, scratch)))
        clock, cpu = min(each.clock for each in copies), min(each.cpu for each in copies)
        for name, cost in {"copy": copies[0], "copy again": copies[1], **steps}.items():
            table.add_row(str(number), name, f"{cost.clock:.1f}", f"{cost.cpu:.1f}",
                          f"{cost.memory / 1e9:.1f}", f"{cost.clock / clock:.2f}",
                          f"{cost.cpu / cpu:.2f}")
    Console(width=120, highlight=False).print(table)


def once(lakehouse: Lakehouse, settings: Settings, scratch: Path) -> dict[str, Cost]:
    """Both steps from nothing, and again with nothing new."""
    shutil.rmtree(scratch, ignore_errors=True)
    return {"ingest": measured(lambda: ingest.run(lakehouse, settings)),
            "prepare": measured(lambda: prepare.run(lakehouse, settings)),
            "ingest, nothing new": measured(lambda: ingest.run(lakehouse, settings)),
            "prepare, nothing new": measured(lambda: prepare.run(lakehouse, settings))}


def copy(lakehouse: Lakehouse, settings: Settings, scratch: Path) -> None:
    target = scratch / "copy"
    shutil.rmtree(target, ignore_errors=True)
    rows = lakehouse.spark.read.option("recursiveFileLookup", "true").parquet(settings.data)
    rows.write.format("delta").save(str(target))
