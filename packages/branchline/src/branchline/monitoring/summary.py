"""A column's values in a window: counts and sums that can be added, in the reference's bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

__all__ = ["Summary", "summary"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """`bins` are counts of the known values, one more than the reference's edges.

    `least` and `most` are infinite, the wrong way round, where no value is known.
    """

    rows: int
    missing: int
    total: float
    squares: float
    least: float
    most: float
    bins: tuple[int, ...]

    def __add__(self, other: Summary) -> Summary:
        return Summary(self.rows + other.rows, self.missing + other.missing,
                       self.total + other.total, self.squares + other.squares,
                       min(self.least, other.least), max(self.most, other.most),
                       tuple(a + b for a, b in zip(self.bins, other.bins, strict=True)))

    @property
    def known(self) -> int:
        return self.rows - self.missing

    @property
    def missing_share(self) -> float:
        return self.missing / max(self.rows, 1)

    @property
    def mean(self) -> float | None:
        return self.total / self.known if self.known else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the known values."""
        if not self.known:
            return None
        mean = self.total / self.known
        return sqrt(max(self.squares / self.known - mean * mean, 0.0))


def summary(values: Floats, edges: Sequence[float]) -> Summary:
    """The summary of values, NaN for a missing one; a bin holds its upper edge."""
    known = values[~np.isnan(values)]
    bins = np.bincount(np.searchsorted(np.asarray(edges, np.float64), known, side="left"),
                       minlength=len(edges) + 1)
    return Summary(len(values), len(values) - len(known), float(known.sum()),
                   float(np.square(known).sum()), float(known.min(initial=inf)),
                   float(known.max(initial=-inf)), tuple(bins.tolist()))
