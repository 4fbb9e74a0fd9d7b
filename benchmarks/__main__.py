"""Runs the named benchmarks, or all: `python -m benchmarks [speed|steps|... ]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks import (big_files, data_in, diff, folds, from_main, gate, gate_replay, kills,
                        live, live_spark, monitoring, monitoring_cost, online_store, retraining,
                        scale, serving, speed, steps, submission, terminal_watch)
from branchline.lakehouse import Lakehouse
from branchline.runs import tracking
from branchline.spark.session import session as spark
from fraud_detection.data.simulator import write
from fraud_detection.data.world import World
from fraud_detection.settings import Columns, Settings
from fraud_detection.steps import ingest, prepare


def both_ways() -> None:
    """The live path by the worker, and on Spark."""
    live.run()
    live_spark.run()


ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT.parent / "shared" / "data"
WORK = ROOT / ".local" / "bench"
ON_TABLES = {"data_in": data_in.run, "big_files": big_files.run, "speed": speed.run,
             "diff": diff.run, "scale": scale.run, "steps": steps.run, "folds": folds.run,
             "gate": gate.run, "terminal_watch": terminal_watch.run}
ALONE = {"submission": submission.run, "online_store": online_store.run,
         "serving": serving.run, "gate_replay": gate_replay.run, "live": both_ways,
         "live_cards": live.run_cards, "monitoring": monitoring.run, "retraining": retraining.run,
         "monitoring_cost": monitoring_cost.run, "kills": kills.run,
         "from_main": lambda: from_main.run(transactions())}


def main() -> None:
    known = [*ON_TABLES, *ALONE]
    chosen = sys.argv[1:] or known
    for name in chosen:
        if name not in known:
            sys.exit(f"benchmark {name} is unknown; expected some of {', '.join(known)}.")
    tracking.quiet()
    tables = silver() if ON_TABLES.keys() & set(chosen) else None
    for name in chosen:
        print(f"\n## {name}\n", flush=True)
        if name in ALONE:
            ALONE[name]()
        elif tables:
            ON_TABLES[name](*tables)


def silver() -> tuple[Lakehouse, Settings]:
    """The tables up to silver of the transactions."""
    settings = transactions()
    session = spark(os.environ, WORK / "spark.log")
    lakehouse = Lakehouse(session, settings.lakehouse, settings.tables_schema)
    ingest.run(lakehouse, settings)
    rows = prepare.run(lakehouse, settings)["silver"]
    print(f"{rows:,} transactions from {Path(settings.data).name}, {os.cpu_count()} cores",
          flush=True)
    return lakehouse, settings


def transactions() -> Settings:
    """The published transactions, or else simulated ones."""
    data = PUBLISHED / "handbook_transactions.parquet"
    if not data.exists():
        data = WORK / "landing"
        write(World(customers=5000, terminals=10_000, days=157), data)
    columns = Columns.read(ROOT / "mlflow-notebooks" / "fraud-training" / "columns.yml")
    return Settings(data=str(data), columns=columns, lakehouse=str(WORK / "lakehouse"))


if __name__ == "__main__":
    main()
