"""Reads windows of the inference log: columns in bins, and what became of the rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from branchline.monitoring.performance import Outcome
from branchline.monitoring.summary import Summary, summary

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["Edges", "Key", "Rows", "in_windows", "outcomes", "summaries"]

PARTS = ("rows BIGINT, missing BIGINT, total DOUBLE, squares DOUBLE, least DOUBLE, most DOUBLE, "
         "bins ARRAY<BIGINT>")
KEY = "start BIGINT, model_version STRING, slice STRING"
GIVEN = ("score", "outlier_score")  # columns of the log itself
PERCENTILES = (0.5, 0.95, 0.99)
# The bins of each column of each model version: their upper edges, without the last.
Edges = Mapping[str, Mapping[str, Sequence[float]]]


class Key(NamedTuple):
    """A window's first second since 1970, the model version, and the slice of the rows."""

    start: int
    model_version: str
    slice: str


@dataclass(frozen=True)
class Rows:
    """How many rows a window has, in all and of each kind; latencies in milliseconds or None."""

    rows: int
    alerts: int
    outliers: int
    refused: int
    late: int
    degraded: int
    flagged: int
    labelled: int
    latencies: tuple[float | None, ...]
    outcome: Outcome


def in_windows(log: DataFrame, seconds: int, slices: Sequence[str] = ()) -> DataFrame:
    """The log with the windows' `start`, and each row once for all and once for each slice.

    A row belongs to when its event happened, or when it was scored where that is not known.
    """
    at = F.unix_seconds(F.coalesce("event_time", "time"))
    parts = [F.lit(""), *(F.concat(F.lit(f"{name}="), F.col(name).cast("string"))
                          for name in slices)]
    return (log.withColumn("start", (F.floor(at / seconds) * seconds).cast("bigint"))
            .withColumn("slice", F.explode(F.array(*parts))).where("slice IS NOT NULL"))


def summaries(rows: DataFrame, edges: Edges) -> dict[Key, dict[str, Summary]]:
    """The columns of each window, of the model versions that `edges` knows."""
    def summarize(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        schema = pa.schema([("start", pa.int64()), ("model_version", pa.string()),
                            ("slice", pa.string()), ("name", pa.string()), *PART_TYPES])
        for batch in batches:
            yield pa.RecordBatch.from_pylist(list(_parts(batch, edges)), schema)

    found = (rows.where(F.col("model_version").isin(list(edges)) & F.col("inputs").isNotNull())
             .select("start", "model_version", "slice", "inputs", *GIVEN)
             .mapInArrow(summarize, f"{KEY}, name STRING, {PARTS}").toArrow().to_pylist())
    gathered: dict[Key, dict[str, list[Summary]]] = {}
    for row in found:
        key = Key(row.pop("start"), row.pop("model_version"), row.pop("slice"))
        name, bins = row.pop("name"), tuple(row.pop("bins"))
        gathered.setdefault(key, {}).setdefault(name, []).append(Summary(**row, bins=bins))
    return {key: {name: reduce(add, parts) for name, parts in columns.items()}
            for key, columns in gathered.items()}


PART_TYPES = [("rows", pa.int64()), ("missing", pa.int64()), ("total", pa.float64()),
              ("squares", pa.float64()), ("least", pa.float64()), ("most", pa.float64()),
              ("bins", pa.list_(pa.int64()))]


def _parts(batch: pa.RecordBatch, edges: Edges) -> Iterator[dict[str, Any]]:
    """The summaries of each window in a batch, a column a row."""
    table = pa.Table.from_batches([batch])
    groups = table.select(["start", "model_version", "slice"]).to_pylist()
    places: dict[Key, list[int]] = {}
    for at, group in enumerate(groups):
        places.setdefault(Key(**group), []).append(at)
    for key, rows in places.items():
        some = table.take(rows)
        inputs = [json.loads(text) for text in some["inputs"].to_pylist()]
        for name, cuts in edges[key.model_version].items():
            values = (some[name].to_numpy() if name in GIVEN else
                      np.array([each.get(name) for each in inputs]))
            floats = values.astype(np.float64)  # None becomes NaN
            yield {**key._asdict(), "name": name, **_record(summary(floats, cuts))}


def _record(found: Summary) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Summary.__dataclass_fields__}


def outcomes(rows: DataFrame, labels: DataFrame) -> dict[Key, Rows]:
    """What became of each window's rows.

    Args:
        labels: the labels that are known by now: `record_id`, and `label`, 0 or 1.
    """
    joined = rows.join(labels, "record_id", "left")
    alert, score = F.coalesce("is_alert", F.lit(False)), F.coalesce("score", F.lit(0.0))
    spread, fraud = score * (1 - score), F.col("label") == 1

    def count(condition: Any) -> Any:
        return F.count(F.when(condition, 1))

    def total(value: Any, condition: Any) -> Any:
        return F.coalesce(F.sum(F.when(condition, value)), F.lit(0.0))

    found = joined.groupBy("start", "model_version", "slice").agg(
        F.count("*"), count(alert), count(F.col("is_outlier")),
        *(count(F.col("outcome") == name) for name in ("refused", "late", "degraded")),
        count(F.col("guardrails").isNotNull()), count(F.col("label").isNotNull()),
        F.percentile_approx("latency_ms", list(PERCENTILES)),
        count(F.col("score").isNotNull() & ~alert),
        total(score, alert), total(score, ~alert), total(spread, alert), total(spread, ~alert),
        count(alert & F.col("label").isNotNull()), count(alert & fraud), count(~alert & fraud))
    return {Key(*row[:3]): _rows(*row[3:]) for row in found.collect()}


def _rows(rows: int, alerts: int, outliers: int, refused: int, late: int, degraded: int,
          flagged: int, labelled: int, latencies: Sequence[float] | None, others: int,
          *sums: Any) -> Rows:
    return Rows(rows, alerts, outliers, refused, late, degraded, flagged, labelled,
                tuple(latencies or (None,) * len(PERCENTILES)), Outcome(alerts, others, *sums))
