"""Distances of a column's values from those of training, as far as the frozen bins tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogorov

__all__ = ["kolmogorov_smirnov", "psi", "wasserstein"]

Floats = NDArray[np.float64]
SMALLEST_SHARE = 1e-4


def psi(reference: Floats, present: Floats) -> float:
    """Population stability index of two sets of shares over the same bins.

    An empty bin counts as SMALLEST_SHARE. Below 0.1 usually counts as stable, above 0.25 as moved.
    """
    expected = np.maximum(reference, SMALLEST_SHARE)
    found = np.maximum(present, SMALLEST_SHARE)
    return float(np.sum((found - expected) * np.log(found / expected)))


def wasserstein(edges: Sequence[float], reference: Floats, present: Floats) -> float | None:
    """The mean way, in the column's unit, from the values of training to the present ones.

    It is the area between the two distribution functions. They are known at the edges, and taken as
    straight between them. Beyond the outer edges nothing is known of them: values there count as if
    they were at the edge. None with fewer than two edges.
    """
    if len(edges) < 2:
        return None
    gaps = np.cumsum(present - reference)[:-1]
    before, after = np.abs(gaps[:-1]), np.abs(gaps[1:])
    triangles = (before ** 2 + after ** 2) / (2 * np.maximum(before + after, np.finfo(float).tiny))
    heights = np.where(gaps[:-1] * gaps[1:] < 0, triangles, (before + after) / 2)
    return float(np.sum(heights * np.diff(edges)))


def kolmogorov_smirnov(reference: Floats, present: Floats, trained: int,
                       rows: int) -> tuple[float, float]:
    """Statistic and p-value of the test of two samples of `trained` and `rows` values.

    The largest gap is looked for at the bins' edges only, so that the p-value is never too small.
    """
    gap = float(np.abs(np.cumsum(present - reference)[:-1]).max(initial=0.0))
    return gap, float(kolmogorov(gap * np.sqrt(trained * rows / (trained + rows))))
