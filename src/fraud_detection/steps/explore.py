"""Step 3: pictures and a report of the data."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, functions as F

from branchline import Lakehouse, Step
from fraud_detection.data.days import day_of
from fraud_detection.plots import gaps, report, volumes
from fraud_detection.settings import Settings
from fraud_detection.tables import (BRONZE_TRANSACTIONS, DUPLICATES, QUARANTINE,
                                    TRANSACTION_COLUMNS, TRANSACTIONS)

__all__ = ["by_amount", "by_day", "by_hour", "by_terminal", "landed", "rejected", "run", "step",
           "totals"]

HOUR = 3_600_000
EDGES = [float(f"{digit}e{power}") for power in range(-2, 9) for digit in (1, 2, 5)]
FEW = 0.01  # share of all rows: the lowest amount bands are merged until they hold it
COLUMN = f"(?:{'|'.join(TRANSACTION_COLUMNS)})"


def by_day(transactions: DataFrame) -> pd.DataFrame:
    """One row for each UTC day from the first to the last, including empty days.

    Columns: day (datetime64[s]), transactions, labelled (those with a label), frauds.
    """
    days = _counts(transactions, day_of(), "day")
    days["day"] = days["day"].to_numpy("datetime64[s]")
    if days.empty:
        return days
    every = np.arange(days["day"].iloc[0], days["day"].iloc[-1] + pd.Timedelta(days=1),
                      np.timedelta64(1, "D")).astype("datetime64[s]")
    return (days.set_index("day").reindex(pd.Index(every, name="day"), fill_value=0)
            .reset_index())


def by_hour(transactions: DataFrame) -> pd.DataFrame:
    """One row for each UTC hour 0 to 23: hour, transactions, labelled, frauds."""
    hours = _counts(transactions, f"CAST(pmod(floor(unix_millis(event_time) / {HOUR}), 24) AS INT)",
                    "hour")
    return (hours.set_index("hour").reindex(pd.RangeIndex(24, name="hour"), fill_value=0)
            .reset_index())


def by_amount(transactions: DataFrame) -> pd.DataFrame:
    """One row for each band of amounts, in 1-2-5 steps: band (its name) and counts as by day.

    The lowest bands are merged until they hold 1% of the rows, so that cents do not fill the axis.
    """
    reached = " + ".join(f"CAST(amount >= {edge!r}D AS INT)" for edge in EDGES)
    bands = _counts(transactions, reached, "reached").set_index("reached")
    if bands.empty:
        return bands.reset_index(names="band")
    bands = bands.reindex(range(bands.index[0], bands.index[-1] + 1), fill_value=0)
    passed = bands["transactions"].cumsum() < FEW * bands["transactions"].sum()
    lowest = int(bands.index[int(passed.to_numpy().argmin())])
    folded = bands.groupby(bands.index.to_numpy().clip(min=lowest)).sum()
    names = [_band(reached, below=reached == lowest) for reached in folded.index]
    return folded.reset_index(drop=True).assign(band=names)


def _band(reached: int, *, below: bool) -> str:
    low, high = [0.0, *EDGES][reached], [*EDGES, math.inf][reached]
    if high == math.inf:
        return f"{low:,g} or more"
    return f"under {high:,g}" if below else f"{low:,g} to {high:,g}"


def _counts(transactions: DataFrame, key: str, name: str) -> pd.DataFrame:
    """Rows, labelled rows and frauds for each value of the SQL expression `key`, in its order."""
    counts = transactions.groupBy(F.expr(key).alias(name)).agg(
        F.count("*").alias("transactions"), F.count("is_fraud").alias("labelled"),
        F.sum(F.coalesce("is_fraud", F.lit(0))).alias("frauds"))
    return _small(counts).sort_values(name, ignore_index=True)


def _small(rows: DataFrame) -> pd.DataFrame:
    found: pd.DataFrame = rows.toArrow().to_pandas()
    return found


def by_terminal(transactions: DataFrame) -> pd.DataFrame:
    """How many terminals have each pair of transaction and fraud counts.

    Columns: transactions and frauds of one terminal, terminals (how many have just these).
    """
    each = transactions.groupBy("terminal_id").agg(
        F.count("*").alias("transactions"),
        F.sum(F.coalesce("is_fraud", F.lit(0))).alias("frauds"))
    pairs = each.groupBy("transactions", "frauds").agg(F.count("*").alias("terminals"))
    return _small(pairs)


def totals(transactions: DataFrame) -> dict[str, float]:
    """The customers, and the median amount (NaN without rows)."""
    # In one aggregate Spark would build a percentile sketch per customer first: four times as slow.
    customers = transactions.select("customer_id").distinct().count()
    row = transactions.agg(F.percentile_approx("amount", 0.5).alias("median")).first()
    assert row is not None
    return {"customers": customers, "median": math.nan if row["median"] is None else row["median"]}


def landed(bronze: DataFrame) -> dict[str, int]:
    """What landed: `files`, readable `rows`, and for each column how many of those lack a value."""
    readable = bronze.where("problem IS NULL")
    lacking = [F.count_if(F.coalesce(F.trim(name), F.lit("")) == "").alias(name)
               for name in TRANSACTION_COLUMNS]
    row = readable.agg(F.count_distinct("source_file").alias("files"),
                       F.count("*").alias("rows"), *lacking).first()
    assert row is not None
    return {name: int(value) for name, value in row.asDict().items()}


def rejected(quarantine: DataFrame) -> pd.DataFrame:
    """Quarantined rows by reason, the most frequent first: reason, rows.

    Quoted values are removed, so that `amount -3 is negative` and `amount -4 is negative` count as
    one reason; a row with several reasons counts for each.
    """
    single = F.explode(F.split("reason", f"; (?={COLUMN} )")).alias("reason")
    unquoted = F.regexp_replace("reason", rf"(?s)^({COLUMN}) .+ (is|lies) ", "$1 $2 ")
    reasons = quarantine.select(single).groupBy(unquoted.alias("reason")).agg(
        F.count("*").alias("rows"))
    return _small(reasons).sort_values(["rows", "reason"], ascending=[False, True],
                                       ignore_index=True)


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Log the pictures and the report under `explore/` of the run; counts: rows, days, pictures."""
    import mlflow
    transactions = lakehouse.read(TRANSACTIONS)
    days, terminals = by_day(transactions), by_terminal(transactions)
    arrived = landed(lakehouse.read(BRONZE_TRANSACTIONS))
    quarantine = lakehouse.read(QUARANTINE)
    facts = report.facts(days, terminals, totals(transactions), arrived["files"],
                         quarantine.count(), lakehouse.read(DUPLICATES).count())
    sections = [volumes.days(days), volumes.hours(by_hour(transactions)),
                volumes.amounts(by_amount(transactions)), volumes.terminals(terminals),
                gaps.labels(days, settings.label_delay_days),
                gaps.missing(arrived, rejected(quarantine))]
    with tempfile.TemporaryDirectory() as folder:
        report.write(facts, sections, Path(folder))
        mlflow.log_artifacts(folder, "explore")
    return {"rows": int(days["transactions"].sum()), "days": len(days), "pictures": len(sections)}


step = Step("explore", run,
            reads=(BRONZE_TRANSACTIONS, TRANSACTIONS, QUARANTINE, DUPLICATES))
