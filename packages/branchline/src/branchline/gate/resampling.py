"""How far a metric could be off by chance: bootstraps over two crossed kinds of units."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Measure", "standard_errors", "variance"]

Floats: TypeAlias = NDArray[np.float64]
Measure: TypeAlias = Callable[[Floats], Floats]  # weights, draws x rows -> values, draws x measures

AT_ONCE = 1_000_000  # weights in memory at once: more would not fit into the processor's cache


def standard_errors(measure: Measure, first: NDArray[np.int64], second: NDArray[np.int64],
                    draws: int, seed: int) -> Floats:
    """The standard error of each measure over other draws of both kinds of units.

    The variance over `first` (such as cards) plus what `second` (such as days) adds: the variance
    over days minus that over their pairs, which is what unrelated rows alone would show
    (Cameron, Gelbach and Miller, 2011). What is added is never negative, and zero where all rows
    belong to one unit of `second`: they do not show how far other units differ.

    Args:
        measure: takes weights, shape (draws, rows of the data); returns values, shape (draws,
            measures). A paired comparison gives differences under the same weights.
        first, second: the unit of each row, numbered from 0.

    Raises:
        ValueError: all rows belong to one unit of `first`.
    """
    source = np.random.default_rng(seed)
    of_first = variance(measure, first, draws, source)
    if not second.any():
        return np.sqrt(of_first)
    _, pairs = np.unique(first * (second.max() + 1) + second, return_inverse=True)
    of_second, of_pairs = (variance(measure, units, draws, source) for units in (second, pairs))
    return np.sqrt(of_first + np.maximum(of_second - of_pairs, 0))


def variance(measure: Measure, units: NDArray[np.int64], draws: int,
             source: np.random.Generator) -> Floats:
    """The bootstrap variance of each measure over other draws of one kind of unit.

    Weights are exponential (Rubin's), so that no unit is ever left out completely. Of the variance
    of a mean of n units they show (n - 1) / (n + 1), which matters with few days: this is
    corrected.
    """
    count = int(units.max()) + 1
    if count < 2:
        raise ValueError("found 1 unit; expected at least 2 to tell how far they differ")
    step = max(1, AT_ONCE // len(units))
    values = []
    for begun in range(0, draws, step):
        weights = source.standard_exponential((min(step, draws - begun), count))
        weights /= weights.mean(axis=1, keepdims=True)
        values.append(measure(weights[:, units]))
    found: Floats = np.concatenate(values).var(axis=0, ddof=1) * (count + 1) / (count - 1)
    return found
