"""How far a column moved from the model's training, and whether chance can explain it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency

from branchline.monitoring.distances import kolmogorov_smirnov, psi, wasserstein
from branchline.monitoring.reference import Column
from branchline.monitoring.summary import Summary

__all__ = ["Compared", "Drift", "Policy", "compare", "drift"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Policy:
    """When a measure of a window counts as changed.

    Args:
        alarm_rate: the probability that a window without change shows any, over all its tests.
        least_psi: a smaller population stability index never counts, however many rows show it.
        least_missing: nor does a smaller change of the share of missing values.
        least_shortfall: nor a realised figure that is less below its estimate.
    """

    alarm_rate: float = 0.01
    least_psi: float = 0.1
    least_missing: float = 0.01
    least_shortfall: float = 0.05


@dataclass(frozen=True)
class Drift:
    """A column of a window against training; p-values are those of chi-square tests.

    `wasserstein` is in the column's unit, `ks` the Kolmogorov-Smirnov test's statistic and p-value.
    `noise` is the index that chance alone brings on average. What compares values is None without a
    known one on both sides.
    """

    rows: int
    missing_change: float
    missing_p_value: float
    psi: float | None = None
    js_distance: float | None = None
    wasserstein: float | None = None
    ks: tuple[float | None, float | None] = (None, None)
    chi_square: float | None = None
    p_value: float | None = None
    noise: float = np.inf


@dataclass(frozen=True)
class Compared:
    """A column of a window, in training, and how far apart they are."""

    found: Summary
    trained: Column
    drift: Drift


def compare(trained: Mapping[str, Column], found: Mapping[str, Summary]) -> dict[str, Compared]:
    """A window's columns beside those of training, which has all of them."""
    return {name: Compared(each, trained[name], drift(trained[name], each))
            for name, each in found.items()}


def drift(reference: Column, found: Summary) -> Drift:
    """The column's values in a window against those of training."""
    trained = round(reference.rows * (1 - reference.missing))
    before = (reference.rows - trained, trained)
    missing_p = _chi_square(np.array([before, (found.missing, found.known)], np.float64))[1]
    moved = found.missing_share - reference.missing
    if not trained or not found.known:
        return Drift(found.known, moved, missing_p)
    expected, counts = np.array(reference.shares), np.array(found.bins, np.float64)
    present = counts / found.known
    statistic, p_value = _chi_square(np.array([expected * trained, counts]))
    noise = len(reference.edges) * (1 / found.known + 1 / trained)
    return Drift(found.known, moved, missing_p, psi(expected, present),
                 float(jensenshannon(expected, present, 2)),
                 wasserstein(reference.edges, expected, present),
                 kolmogorov_smirnov(expected, present, trained, found.known),
                 statistic, p_value, noise)


def _chi_square(table: Floats) -> tuple[float, float]:
    """Statistic and p-value of two rows of counts; classes that both lack are left out."""
    some = table[:, table.sum(axis=0) > 0]
    if some.shape[1] < 2 or not some.sum(axis=1).all():
        return 0.0, 1.0
    found = chi2_contingency(some, correction=False)
    return float(found.statistic), float(found.pvalue)
