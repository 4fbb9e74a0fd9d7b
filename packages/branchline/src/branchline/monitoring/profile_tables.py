"""Windows in the shape of the tables that Databricks' data profiling writes.

Source: Databricks, "Data profiling metric tables": the columns that a summary of this kind has.
"""

from __future__ import annotations

from math import isinf
from typing import Any

from branchline.lakehouse.table import Column, Table
from branchline.monitoring.drift import Drift
from branchline.monitoring.reference import Column as Trained
from branchline.monitoring.summary import Summary
from branchline.monitoring.windows import Key

__all__ = ["DRIFT_METRICS", "PROFILE_METRICS", "drift_row", "profile_row"]

SHARED = (
    Column("window", "STRUCT<start: TIMESTAMP, end: TIMESTAMP>", "The window (UTC)", True),
    Column("granularity", "STRING", "Its length", True),
    Column("model_version", "STRING", "The model that scored", True, varies=True),
    Column("slice_key", "STRING", "The column of the slice; null: all rows"),
    Column("slice_value", "STRING", "Its value"),
    Column("column_name", "STRING", "The column", True))
KEY = ("window", "granularity", "model_version", "slice_key", "slice_value", "column_name")

PROFILE_METRICS = Table(
    "gold.inference_log_profile_metrics", "A column's values in a window", key=KEY, kpis=True,
    columns=(
        *SHARED,
        Column("count", "BIGINT", "Rows"), Column("num_nulls", "BIGINT", "Missing values"),
        Column("percent_null", "DOUBLE", "Their share, in percent"),
        Column("avg", "DOUBLE", "Mean"), Column("stddev", "DOUBLE", "Standard deviation"),
        Column("min", "DOUBLE", "Smallest value"), Column("max", "DOUBLE", "Largest value")))

DRIFT_METRICS = Table(
    "gold.inference_log_drift_metrics", "A column's values in a window against training", key=KEY,
    kpis=True,
    columns=(
        *SHARED,
        Column("drift_type", "STRING", "BASELINE: against the model's training", True),
        Column("avg_delta", "DOUBLE", "Mean, minus that of training"),
        Column("percent_null_delta", "DOUBLE", "The same for the missing values"),
        Column("js_distance", "DOUBLE", "Jensen-Shannon distance"),
        Column("wasserstein_distance", "DOUBLE", "In the column's unit, over the same bins"),
        Column("ks_test", "STRUCT<statistic: DOUBLE, pvalue: DOUBLE>",
               "Kolmogorov-Smirnov, at the bins' edges"),
        Column("population_stability_index", "DOUBLE", "Over the deciles of training"),
        Column("chi_squared_test", "STRUCT<statistic: DOUBLE, pvalue: DOUBLE>",
               "Over the same bins")))


def profile_row(key: Key, seconds: int, name: str, found: Summary) -> dict[str, Any]:
    """A row of PROFILE_METRICS; the window's ends in seconds since 1970."""
    return {**_shared(key, seconds, name), "count": found.rows, "num_nulls": found.missing,
            "percent_null": 100 * found.missing_share, "avg": found.mean,
            "stddev": found.deviation, "min": None if isinf(found.least) else found.least,
            "max": None if isinf(found.most) else found.most}


def drift_row(key: Key, seconds: int, name: str, found: Summary, trained: Trained,
              moved: Drift) -> dict[str, Any]:
    """A row of DRIFT_METRICS."""
    known = found.mean is not None and trained.mean is not None
    return {**_shared(key, seconds, name), "drift_type": "BASELINE",
            "avg_delta": (found.mean or 0.0) - (trained.mean or 0.0) if known else None,
            "percent_null_delta": 100 * moved.missing_change, "js_distance": moved.js_distance,
            "wasserstein_distance": moved.wasserstein,
            "ks_test": dict(zip(("statistic", "pvalue"), moved.ks, strict=True)),
            "population_stability_index": moved.psi,
            "chi_squared_test": {"statistic": moved.chi_square, "pvalue": moved.p_value}}


def _shared(key: Key, seconds: int, name: str) -> dict[str, Any]:
    column, _, value = key.slice.partition("=")
    return {"window": {"start": key.start, "end": key.start + seconds},
            "granularity": f"{seconds // 3600} hours", "model_version": key.model_version,
            "slice_key": column or None, "slice_value": value if column else None,
            "column_name": name}
