"""The area under the ROC curve of scores in bins: promised by the scores, and realised."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from branchline.monitoring.estimates import FEWEST, Estimate, around

__all__ = ["BINS_A_UNIT", "LEAST", "Ranked", "auc", "place"]

Floats = NDArray[np.float64]
LEAST = 1e-6  # a score nearer to 0 or to 1 counts as this near
BINS_A_UNIT = 16  # bins of a unit of log-odds: scores in one differ by 6 % at most


@dataclass(frozen=True)
class Ranked:
    """The scored rows by bins of their score, from low to high.

    Args:
        rows, expected: rows, and the sum of their calibrated scores.
        frauds, others: the rows that are known to be one or the other.
    """

    rows: tuple[int, ...] = ()
    expected: tuple[float, ...] = ()
    frauds: tuple[int, ...] = ()
    others: tuple[int, ...] = ()

    def promised(self) -> Estimate:
        """The area if each score is the probability that it promises to be (CBPE)."""
        expected = np.array(self.expected, np.float64)
        return auc(expected, np.array(self.rows, np.float64) - expected)

    def realised(self) -> Estimate:
        return auc(np.array(self.frauds, np.float64), np.array(self.others, np.float64))


def place(scores: Floats) -> NDArray[np.int64]:
    """The bins of scores."""
    inside = np.clip(scores, LEAST, 1 - LEAST)
    odds = inside / (1 - inside)
    return np.asarray(np.floor(BINS_A_UNIT * np.log(odds)), np.int64)


def auc(frauds: Floats, others: Floats) -> Estimate:
    """The area for (expected) counts by ascending bins; two in one bin count as a tie.

    Source of the interval: DeLong, DeLong, Clarke-Pearson (1988), for one curve.
    """
    positives, negatives = float(frauds.sum()), float(others.sum())
    if min(positives, negatives) < FEWEST:
        return Estimate(None, None, None, round(positives))
    above = (np.cumsum(others) - others / 2) / negatives  # of a fraud in the bin
    below = (positives - np.cumsum(frauds) + frauds / 2) / positives  # of another in the bin
    value = float(frauds @ above) / positives
    variance = (max(float(frauds @ above ** 2) / positives - value ** 2, 0.0) / (positives - 1)
                + max(float(others @ below ** 2) / negatives - value ** 2, 0.0) / (negatives - 1))
    return around(value, sqrt(variance), round(positives))
