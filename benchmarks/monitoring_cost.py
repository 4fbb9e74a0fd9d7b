"""What it costs to measure logged requests, a day and six days at once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
from pyspark.sql import DataFrame, functions as F
from rich.console import Console
from rich.table import Table

from benchmarks.cost import Cost, measured
from branchline.inference_log.tables import INFERENCE_LOG
from branchline.lakehouse import Lakehouse
from branchline.monitoring.drift import Policy, compare
from branchline.monitoring.family import judged
from branchline.monitoring.judged import column_measures, row_measures, with_levels
from branchline.monitoring.reference import Column, column
from branchline.monitoring.window_rows import outcomes
from branchline.monitoring.windows import in_windows, summaries
from branchline.spark.session import session as spark

FOLDER = Path(__file__).resolve().parents[1] / ".local" / "bench" / "monitoring_cost"
A_DAY, DAYS, DAY = 50_000, 6, 86_400
INPUTS = [f"input_{n}" for n in range(16)]
VERSION = "m-1"


def run() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    lakehouse = Lakehouse(spark(os.environ, FOLDER / "spark.log"), str(FOLDER / "tables"), "cost")
    lakehouse.create(INFERENCE_LOG)
    lakehouse.overwrite(INFERENCE_LOG, logged(lakehouse), "true")
    watch(lakehouse, 1)  # what is slow once only
    table = Table("days", "requests", "seconds", "core seconds", "a million requests: seconds",
                  "core seconds", box=None)
    for days in (1, DAYS):
        cost = measured(lambda: watch(lakehouse, days))
        table.add_row(f"{days}", f"{days * A_DAY:,}", f"{cost.clock:.1f}", f"{cost.cpu:.1f}",
                      *_a_million(cost, days))
    Console(width=120, highlight=False).print(table)


def _a_million(cost: Cost, days: int) -> tuple[str, str]:
    millions = days * A_DAY / 1e6
    return f"{cost.clock / millions:.0f}", f"{cost.cpu / millions:.0f}"


def logged(lakehouse: Lakehouse) -> DataFrame:
    """Requests of DAYS days with 16 inputs each, as the service logs them."""
    rows = lakehouse.spark.range(A_DAY * DAYS, numPartitions=4)
    inputs = F.struct(*(F.round(F.randn(n), 6).alias(name) for n, name in enumerate(INPUTS)))
    known = {
        "line_id": F.col("id").cast("string"), "record_id": F.col("id").cast("string"),
        "time": F.timestamp_seconds(F.floor(F.col("id") * DAY / A_DAY)),
        "event_time": F.timestamp_seconds(F.floor(F.col("id") * DAY / A_DAY)),
        "request_id": F.lit("r"), "source": F.lit("service"), "model": F.lit("fraud"),
        "model_version": F.lit(VERSION), "outcome": F.lit("scored"), "inputs": F.to_json(inputs),
        "score": F.pow(F.rand(17), 20), "is_alert": F.col("id") % 200 == 0,
        "is_outlier": F.col("id") % 100 == 0, "outlier_score": F.rand(18), "latency_ms": F.rand(19)}
    return rows.select(*(known.get(each.name, F.lit(None)).cast(each.type).alias(each.name)
                         for each in INFERENCE_LOG.columns))


def watch(lakehouse: Lakehouse, days: int) -> int:
    """Measure the first days as the step `watch` does, without writing; how many measures."""
    reference = _reference()
    rows = in_windows(lakehouse.read(INFERENCE_LOG), DAY, ("source",)).where(
        F.col("start") < days * DAY)
    labels = lakehouse.read(INFERENCE_LOG).select(
        "record_id", (F.col("score") > .5).cast("int").alias("label"))
    columns = summaries(rows, {VERSION: {name: each.edges for name, each in reference.items()}})
    found, policy = outcomes(rows, labels), Policy()
    tested = (one for key in sorted(found) for one in (
        *column_measures(key, DAY, compare(reference, columns[key]), policy),
        *row_measures(key, DAY, found[key], policy, labels_known=True)))
    return len(judged(with_levels(tested, []), policy.alarm_rate))


def _reference() -> dict[str, Column]:
    source = np.random.default_rng(0)
    return {**{name: column(source.normal(size=A_DAY)) for name in INPUTS},
            "score": column(source.random(A_DAY) ** 20),
            "outlier_score": column(source.random(A_DAY))}
