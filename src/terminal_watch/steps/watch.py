"""Step 3: silver into gold.watched_terminals: each day's list, with the evidence."""

from __future__ import annotations

import pandas as pd

from branchline import Lakehouse, Step
from fraud_detection.tables import TRANSACTIONS
from terminal_watch.counts import aggregated, grids
from terminal_watch.lists import day_lists
from terminal_watch.settings import Settings
from terminal_watch.tables import WATCHED_TERMINALS

__all__ = ["changed", "listed", "run", "step"]

DATES = [column.name for column in WATCHED_TERMINALS.columns if column.type == "DATE"]


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Write the days that are new or differ; counts: `rows`, `days`, `written_days`."""
    transactions = lakehouse.read(TRANSACTIONS)
    counts = grids(aggregated(transactions, settings.label_delay_days), settings.label_delay_days)
    rows = day_lists(counts, settings)
    rows = rows[_within(rows["day"], settings)]
    lakehouse.create(WATCHED_TERMINALS)
    days = changed(listed(lakehouse, settings), rows)
    if len(days):
        where = f"day BETWEEN DATE'{days.min():%Y-%m-%d}' AND DATE'{days.max():%Y-%m-%d}'"
        _write(lakehouse, rows[rows["day"].between(days.min(), days.max())], where)
    return {"rows": len(rows), "days": rows["day"].nunique(), "written_days": len(days)}


def listed(lakehouse: Lakehouse, settings: Settings) -> pd.DataFrame:
    """The rows of gold.watched_terminals on the run's days; dates as datetime64[s]."""
    rows: pd.DataFrame = lakehouse.read(WATCHED_TERMINALS).toArrow().to_pandas()
    for name in DATES:
        rows[name] = pd.to_datetime(rows[name]).astype("datetime64[s]")
    return rows[_within(rows["day"], settings)]


def changed(before: pd.DataFrame, now: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """The days with a row that only one of the two has."""
    both = [each.astype({"rank": "int64", "frauds": "int64", "transactions": "int64"})
            for each in (before, now) if len(each)]
    if not both:
        return now["day"]
    return pd.concat(both).drop_duplicates(keep=False)["day"].drop_duplicates()


def _within(days: pd.Series[pd.Timestamp], settings: Settings) -> pd.Series[bool]:
    first, last = settings.first_day, settings.last_day
    return (days >= pd.Timestamp(first or pd.Timestamp.min)) & (
        days <= pd.Timestamp(last or pd.Timestamp.max))


def _write(lakehouse: Lakehouse, rows: pd.DataFrame, where: str) -> None:
    schema = WATCHED_TERMINALS.ddl
    plain = rows.assign(**{name: rows[name].dt.date for name in DATES})
    lakehouse.overwrite(WATCHED_TERMINALS, lakehouse.spark.createDataFrame(plain, schema), where)


step = Step("watch", run, reads=(TRANSACTIONS,), writes=(WATCHED_TERMINALS,), skippable=True)
