"""Counts what became of each window's rows, and how their scores rank the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from branchline.monitoring.performance import Outcome
from branchline.monitoring.ranking import BINS_A_UNIT, LEAST, Ranked
from branchline.monitoring.windows import KEY, Key

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["Rows", "outcomes"]

PERCENTILES = (0.5, 0.95, 0.99)


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


def outcomes(rows: DataFrame, labels: DataFrame) -> dict[Key, Rows]:
    """What became of each window's rows.

    Args:
        labels: the labels that are known by now: `record_id`, and `label`, 0 or 1.
    """
    joined = rows.join(labels, "record_id", "left")
    ranked = _ranked(joined)
    alert, score = F.coalesce("is_alert", F.lit(False)), F.coalesce("score", F.lit(0.0))
    spread, fraud = score * (1 - score), F.col("label") == 1
    found = joined.groupBy(*KEY).agg(
        F.count("*"), _count(alert), _count(F.col("is_outlier")),
        *(_count(F.col("outcome") == name) for name in ("refused", "late", "degraded")),
        _count(F.col("guardrails").isNotNull()), _count(F.col("label").isNotNull()),
        F.percentile_approx("latency_ms", list(PERCENTILES)),
        _count(F.col("score").isNotNull() & ~alert),
        _total(score, alert), _total(score, ~alert), _total(spread, alert), _total(spread, ~alert),
        _count(alert & F.col("label").isNotNull()), _count(alert & fraud), _count(~alert & fraud))
    return {key: _rows(ranked.get(key, Ranked()), *row[3:])
            for row in found.collect() for key in [Key(*row[:3])]}


def _count(condition: Any) -> Any:
    return F.count(F.when(condition, 1))


def _total(value: Any, condition: Any) -> Any:
    return F.coalesce(F.sum(F.when(condition, value)), F.lit(0.0))


def _ranked(joined: DataFrame) -> dict[Key, Ranked]:
    """The scored rows of each window by the bins of `ranking.place`."""
    inside = F.least(F.greatest("score", F.lit(LEAST)), F.lit(1 - LEAST))
    place = F.floor(BINS_A_UNIT * F.log(inside / (1 - inside)))
    found = (joined.where(F.col("score").isNotNull()).groupBy(*KEY, place.alias("place")).agg(
        F.count("*"), F.sum("score"), _count(F.col("label") == 1), _count(F.col("label") == 0)))
    bins: dict[Key, list[tuple[Any, ...]]] = {}
    for row in found.collect():
        bins.setdefault(Key(*row[:3]), []).append(tuple(row[3:]))
    return {key: Ranked(*list(zip(*sorted(each), strict=True))[1:]) for key, each in bins.items()}


def _rows(ranked: Ranked, rows: int, alerts: int, outliers: int, refused: int, late: int,
          degraded: int, flagged: int, labelled: int, latencies: Sequence[float] | None,
          others: int, *sums: Any) -> Rows:
    return Rows(rows, alerts, outliers, refused, late, degraded, flagged, labelled,
                tuple(latencies or (None,) * len(PERCENTILES)),
                replace(Outcome(alerts, others, *sums), ranked=ranked))
