"""What tests do with whole tables: run steps, fill, read, copy."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from branchline import Lakehouse, Table


def run_steps(lakehouse: Lakehouse, settings: Any) -> dict[str, Mapping[str, int]]:
    """Run the settings' steps in order; their counts by step."""
    from fraud_detection.pipeline import PIPELINE
    return {step.name: step.run(lakehouse, settings) for step in PIPELINE.asked(settings)}


class Watched:
    """A lakehouse that remembers the names of the tables that its methods are given."""

    def __init__(self, lakehouse: Lakehouse) -> None:
        self._lakehouse = lakehouse
        self.touched: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._lakehouse, name)

        def call(*values: Any, **named: Any) -> Any:
            given = (*values, *named.values())
            self.touched.update(each.name for each in given if isinstance(each, Table))
            return found(*values, **named)

        return call if callable(found) and name != "spark" else found


def contents(lakehouse: Lakehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Every table's rows in order, less what differs from run to run: ingest time and model id."""
    from fraud_detection import tables
    found = {}
    for table in vars(tables).values():
        if isinstance(table, Table) and lakehouse.exists(table):
            names = [name for name in table.column_names
                     if name not in ("ingested_at", "model_version")]
            rows = lakehouse.read(table).select(*names).collect()
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def newest_model(lakehouse: Lakehouse) -> str:
    """The address of the one model that scored."""
    from fraud_detection.tables import SCORES
    found = lakehouse.read(SCORES).select("model_version").distinct().collect()
    assert len(found) == 1
    return f"models:/{found[0][0]}"


def copied(lakehouse: Lakehouse, folder: Path) -> Lakehouse:
    """A copy of all the tables and checkpoints, for a test that changes them."""
    shutil.copytree(lakehouse.root, folder, dirs_exist_ok=True)
    return Lakehouse(lakehouse.spark, str(folder), lakehouse.schema)


def fill_silver(lakehouse: Lakehouse, *rows: tuple[Any, ...]) -> None:
    """Write rows of (id, days since 2024 began, customer, terminal, amount, label) into silver."""
    from fraud_detection.tables import TRANSACTIONS
    start = datetime(2024, 1, 1, tzinfo=timezone.utc)
    made = [(str(name), start + timedelta(days=days), str(customer), str(terminal), float(amount),
             label, "file:/landed.csv", number)
            for number, (name, days, customer, terminal, amount, label) in enumerate(rows, 1)]
    lakehouse.merge(TRANSACTIONS, lakehouse.spark.createDataFrame(made, ", ".join(
        f"{column.name} {column.type}" for column in TRANSACTIONS.columns)))
