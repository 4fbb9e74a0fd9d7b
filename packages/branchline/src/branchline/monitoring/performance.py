"""How good the scores are: estimated from calibrated scores, and realised once labels are known."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from branchline.monitoring.measures import CHANGED, OK, TOO_FEW

__all__ = ["Estimate", "Outcome", "broken_promise", "estimated", "realised"]

Z = 1.96  # of 95 %
FEWEST = 5  # alerts or frauds: with fewer, an interval says nothing


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % interval, and of how many; None: too few for a word."""

    value: float | None
    low: float | None
    high: float | None
    rows: int


@dataclass(frozen=True)
class Outcome:
    """What became of a window's scored rows.

    Args:
        alerts, others: how many rows raised an alert, and how many did not.
        expected, expected_others: the sums of their calibrated scores.
        spread, spread_others: the sums of score x (1 - score): the variance of their frauds.
        known_alerts: how many of the alerts have a label by now.
        frauds, frauds_missed: the known frauds among alerts and among the others.
    """

    alerts: int
    others: int
    expected: float
    expected_others: float
    spread: float
    spread_others: float
    known_alerts: int
    frauds: int
    frauds_missed: int


def estimated(found: Outcome) -> dict[str, Estimate]:
    """Precision and recall before any label is known: what a calibrated score promises.

    Source: confidence-based performance estimation (CBPE), as NannyML documents it.
    """
    total = found.expected + found.expected_others
    recall = found.expected / total if total else 0.0
    variance = ((1 - recall) ** 2 * found.spread + recall ** 2 * found.spread_others)
    return {"precision": _around(found.expected / max(found.alerts, 1),
                                 sqrt(found.spread) / max(found.alerts, 1), found.alerts),
            "recall": _around(recall, sqrt(variance) / total if total else 0.0, round(total))}


def _around(value: float, deviation: float, rows: int) -> Estimate:
    if rows < FEWEST:
        return Estimate(None, None, None, rows)
    return Estimate(value, max(value - Z * deviation, 0.0), min(value + Z * deviation, 1.0), rows)


def realised(found: Outcome) -> dict[str, Estimate]:
    """Precision and recall of the rows whose labels are known."""
    frauds = found.frauds + found.frauds_missed
    return {"precision": _share(found.frauds, found.known_alerts),
            "recall": _share(found.frauds, frauds)}


def broken_promise(promised: Estimate, came: Estimate) -> str:
    """The verdict on a realised figure: changed if its interval is all below the estimate's."""
    if promised.low is None or came.high is None:
        return TOO_FEW
    return CHANGED if came.high < promised.low else OK


def _share(hits: int, of: int) -> Estimate:
    """A share with Wilson's interval."""
    if of < FEWEST:
        return Estimate(None, None, None, of)
    middle = (hits + Z * Z / 2) / (of + Z * Z)
    reach = Z * sqrt(hits * (1 - hits / of) + Z * Z / 4) / (of + Z * Z)
    return Estimate(hits / of, max(middle - reach, 0.0), min(middle + reach, 1.0), of)
