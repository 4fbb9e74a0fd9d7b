"""Step 4: measures what became of listed terminals: KPIs, pictures and a report."""

from __future__ import annotations

import tempfile
from pathlib import Path

from branchline import Lakehouse, Step
from fraud_detection.plots import report
from fraud_detection.tables import TRANSACTIONS
from terminal_watch.counts import aggregated, grids
from terminal_watch.outcomes import kpis, list_grid, measured_days, outcomes
from terminal_watch.plots import lists, page
from terminal_watch.settings import Settings
from terminal_watch.steps.watch import listed
from terminal_watch.tables import WATCHED_TERMINALS

__all__ = ["run", "step"]


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Log the KPIs, and pictures and report under `measure/`; counts: `rows` listed, `days`.

    Raises:
        BadInput: the data cover too few days, or the lists were made from other data.
    """
    import mlflow
    delay = settings.label_delay_days
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
    return {"rows": int(found["listed"].sum()), "days": days.count,
            "compromised": int(found["compromised"].sum())}


step = Step("measure", run, reads=(TRANSACTIONS, WATCHED_TERMINALS))
