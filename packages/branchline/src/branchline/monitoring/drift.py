"""How far a column moved from the model's training, and whether chance can explain it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency

from branchline.monitoring.measures import CHANGED, OK, TOO_FEW
from branchline.monitoring.reference import Column
from branchline.monitoring.summary import Summary

__all__ = ["Drift", "Policy", "drift", "holm", "psi", "verdicts"]

Floats = NDArray[np.float64]
SMALLEST_SHARE = 1e-4


@dataclass(frozen=True)
class Policy:
    """When a column of a window counts as changed.

    Args:
        alarm_rate: the probability that a window without change shows any, over all its columns.
        least_psi: a smaller population stability index never counts, however many rows show it.
        least_missing: nor does a smaller change of the share of missing values.
    """

    alarm_rate: float = 0.01
    least_psi: float = 0.1
    least_missing: float = 0.01


@dataclass(frozen=True)
class Drift:
    """A column of a window against training; p-values are those of chi-square tests.

    `noise` is the index that chance alone brings on average. `psi`, `js_distance` and `p_value` are
    None without a known value on one of the sides.
    """

    rows: int
    psi: float | None
    js_distance: float | None
    chi_square: float | None
    p_value: float | None
    noise: float
    missing_change: float
    missing_p_value: float


def psi(reference: Floats, present: Floats) -> float:
    """Population stability index of two sets of shares over the same bins.

    An empty bin counts as SMALLEST_SHARE. Below 0.1 usually counts as stable, above 0.25 as moved.
    """
    expected = np.maximum(reference, SMALLEST_SHARE)
    found = np.maximum(present, SMALLEST_SHARE)
    return float(np.sum((found - expected) * np.log(found / expected)))


def drift(reference: Column, found: Summary) -> Drift:
    """The column's values in a window against those of training."""
    trained = round(reference.rows * (1 - reference.missing))
    before = (reference.rows - trained, trained)
    missing_p = _chi_square(np.array([before, (found.missing, found.known)], np.float64))[1]
    moved = found.missing_share - reference.missing
    if not trained or not found.known:
        return Drift(found.known, None, None, None, None, np.inf, moved, missing_p)
    expected, counts = np.array(reference.shares), np.array(found.bins, np.float64)
    present = counts / found.known
    statistic, p_value = _chi_square(np.array([expected * trained, counts]))
    noise = len(reference.edges) * (1 / found.known + 1 / trained)
    return Drift(found.known, psi(expected, present), float(jensenshannon(expected, present, 2)),
                 statistic, p_value, noise, moved, missing_p)


def _chi_square(table: Floats) -> tuple[float, float]:
    """Statistic and p-value of two rows of counts; classes that both lack are left out."""
    some = table[:, table.sum(axis=0) > 0]
    if some.shape[1] < 2 or not some.sum(axis=1).all():
        return 0.0, 1.0
    found = chi2_contingency(some, correction=False)
    return float(found.statistic), float(found.pvalue)


def verdicts(columns: Mapping[str, Drift], policy: Policy) -> dict[str, tuple[str, str]]:
    """For each column of a window, what to say of its values and of its missing ones.

    All tests of the window together raise a false alarm at most at the policy's rate (Holm). Where
    chance alone could bring a quarter of `least_psi`, the rows are too few for a word on values.
    """
    tests = [p for found in columns.values() for p in (found.p_value, found.missing_p_value)]
    small = iter(holm([1.0 if p is None else p for p in tests], policy.alarm_rate))
    return dict(_judged(columns, small, policy))


def _judged(columns: Mapping[str, Drift], small: Iterator[bool],
            policy: Policy) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, found in columns.items():
        moved, lost = next(small), next(small)
        value = CHANGED if moved and (found.psi or 0) - found.noise >= policy.least_psi else OK
        if found.noise > policy.least_psi / 4:
            value = TOO_FEW
        is_far = abs(found.missing_change) >= policy.least_missing
        yield name, (value, CHANGED if lost and is_far else OK)


def holm(p_values: Sequence[float], rate: float) -> list[bool]:
    """Which tests reject, so that any of them does so wrongly at most at this rate.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    rejected = [False] * len(p_values)
    for place, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[at] > rate / (len(p_values) - place):
            break
        rejected[at] = True
    return rejected
