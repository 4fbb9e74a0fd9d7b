"""Step 4: measures what became of listed terminals: KPIs, pictures and a report."""

from __future__ import annotations

import tempfile
from datetime import datetime, time, timezone
from pathlib import Path

import pandas as pd
import pyarrow as pa

from branchline import Lakehouse, Step
from branchline.gate.comparison import Data
from branchline.gate.outcomes import Outcomes
from fraud_detection.plots import report
from fraud_detection.tables import TRANSACTIONS
from terminal_watch.counts import Counts, aggregated, grids
from terminal_watch.outcomes import (KPIS, Days, by_unit, kpis, list_grid, measured_days,
                                     outcomes)
from terminal_watch.plots import lists, page
from terminal_watch.settings import Settings
from terminal_watch.steps.watch import listed
from terminal_watch.tables import WATCHED_TERMINALS

__all__ = ["for_gate", "run", "step"]


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Log the KPIs, pictures and report under `measure/`, and the outcomes that the gate compares.

    Counts: `rows` listed, `days`, `compromised`.

    Raises:
        BadInput: the data cover too few days, or the lists were made from other data.
    """
    import mlflow
    delay = settings.label_delay_days
    snapshot = lakehouse.snapshot(TRANSACTIONS)
    counts = grids(aggregated(lakehouse.read(TRANSACTIONS), delay), delay)
    rows, days = listed(lakehouse, settings), measured_days(counts, settings)
    found = outcomes(counts, list_grid(counts, rows), settings, days)
    numbers = kpis(found, days.count)
    mlflow.log_metrics(numbers)
    by_day = lists.by_day(found, counts, days)
    mlflow.log_text(by_day.to_csv(index=False), "measure/by_day.csv")
    sections = [lists.days(by_day), lists.waits(found), lists.newest(rows)]
    with tempfile.TemporaryDirectory() as folder:
        report.write(page.facts(numbers, by_day), sections, Path(folder),
                     title="Watched terminals", lead=page.newest(rows))
        mlflow.log_artifacts(folder, "measure")
    for_gate(found, counts, days, snapshot).log()
    return {"rows": int(found["listed"].sum()), "days": days.count,
            "compromised": int(found["compromised"].sum())}


def for_gate(found: pd.DataFrame, counts: Counts, days: Days, snapshot: str) -> Outcomes:
    """What the gate compares with the deployed version's; `snapshot` is that of silver."""
    data = Data(int(counts.all_known_rows.sum()), int(counts.all_known_frauds.sum()),
                datetime.combine(counts.day(counts.days - 2), time(), timezone.utc))
    return Outcomes(
        pa.Table.from_pandas(by_unit(found, counts, days), preserve_index=False),
        ("terminal_id", "day"), KPIS, {TRANSACTIONS.name: snapshot}, {"days": float(days.count)},
        data)


step = Step("measure", run, reads=(TRANSACTIONS, WATCHED_TERMINALS))
