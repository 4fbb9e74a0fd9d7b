"""How good the scores are: estimated from calibrated scores, and realised once labels are known."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt

from scipy.stats import binom, norm

from branchline.monitoring.estimates import Estimate, around, share
from branchline.monitoring.ranking import Ranked

__all__ = ["Outcome", "estimated", "realised", "shortfall"]


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
    ranked: Ranked = Ranked()


def estimated(found: Outcome) -> dict[str, Estimate]:
    """Precision, recall and AUC before any label is known: what a calibrated score promises.

    Source: confidence-based performance estimation (CBPE), as NannyML documents it.
    """
    total = found.expected + found.expected_others
    recall = found.expected / total if total else 0.0
    variance = ((1 - recall) ** 2 * found.spread + recall ** 2 * found.spread_others)
    return {"precision": around(found.expected / max(found.alerts, 1),
                                sqrt(found.spread) / max(found.alerts, 1), found.alerts),
            "recall": around(recall, sqrt(variance) / total if total else 0.0, round(total)),
            "auc": found.ranked.promised()}


def realised(found: Outcome) -> dict[str, Estimate]:
    """Precision, recall and AUC of the rows whose labels are known."""
    frauds = found.frauds + found.frauds_missed
    return {"precision": share(found.frauds, found.known_alerts),
            "recall": share(found.frauds, frauds), "auc": found.ranked.realised()}


def shortfall(name: str, promised: Estimate, came: Estimate) -> tuple[float, float] | None:
    """How far a realised figure is below its estimate, and the probability of that by chance.

    Of a share that is the probability of so few hits; of the AUC, both deviations count. None: one
    of both is not known.
    """
    if promised.value is None or came.value is None:
        return None
    gap = promised.value - came.value
    if name == "auc":
        deviation = max(hypot(promised.deviation, came.deviation), 1e-12)
        return gap, float(norm.sf(gap / deviation))
    return gap, float(binom.cdf(round(came.value * came.rows), came.rows, promised.value))
