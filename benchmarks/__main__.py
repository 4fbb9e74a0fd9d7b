"""Runs every benchmark on one set of tables: `python -m benchmarks [folds|speed|steps ...]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks import folds, speed, steps
from branchline import spark, tracking
from branchline.lakehouse import Lakehouse
from fraud_detection import ingest, prepare, simulator
from fraud_detection.settings import Columns, Settings

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT.parent / "shared" / "data"
WORK = ROOT / ".local" / "bench"
BENCHMARKS = {"speed": speed.run, "steps": steps.run, "folds": folds.run}


def main() -> None:
    chosen = sys.argv[1:] or list(BENCHMARKS)
    for name in chosen:
        if name not in BENCHMARKS:
            sys.exit(f"benchmark {name} is unknown; expected some of {', '.join(BENCHMARKS)}.")
    tracking.quiet()
    lakehouse, settings = silver()
    for name in chosen:
        print(f"\n## {name}\n", flush=True)
        BENCHMARKS[name](lakehouse, settings)


def silver() -> tuple[Lakehouse, Settings]:
    """The tables up to silver, of the published transactions or else of simulated ones."""
    data = PUBLISHED / "handbook_transactions.parquet"
    if not data.exists():
        data = WORK / "landing"
        simulator.write(simulator.World(customers=5000, terminals=10_000, days=157), data)
    columns = Columns.read(ROOT / "mlflow-notebooks" / "fraud-training" / "columns.yml")
    settings = Settings(data=str(data), columns=columns, lakehouse=str(WORK / "lakehouse"))
    session = spark.session(os.environ, WORK / "spark.log")
    lakehouse = Lakehouse(session, settings.lakehouse, settings.tables_schema)
    ingest.run(lakehouse, settings)
    rows = prepare.run(lakehouse, settings)["silver"]
    print(f"{rows:,} transactions from {data.name}, {os.cpu_count()} cores", flush=True)
    return lakehouse, settings


if __name__ == "__main__":
    main()
