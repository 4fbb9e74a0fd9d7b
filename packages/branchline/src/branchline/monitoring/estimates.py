"""A value with its interval, or too few rows for one."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

__all__ = ["FEWEST", "Estimate", "around", "share"]

Z = 1.96  # of 95 %
FEWEST = 5  # alerts or frauds: with fewer, an interval says nothing


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % interval, and of how many; None: too few for a word."""

    value: float | None
    low: float | None
    high: float | None
    rows: int

    @property
    def deviation(self) -> float:
        """The standard deviation that the lower half of the interval stands for."""
        return 0.0 if self.value is None or self.low is None else (self.value - self.low) / Z


def around(value: float, deviation: float, rows: int) -> Estimate:
    """A normal interval, cut at 0 and 1."""
    if rows < FEWEST:
        return Estimate(None, None, None, rows)
    return Estimate(value, max(value - Z * deviation, 0.0), min(value + Z * deviation, 1.0), rows)


def share(hits: int, of: int) -> Estimate:
    """A share with Wilson's interval."""
    if of < FEWEST:
        return Estimate(None, None, None, of)
    middle = (hits + Z * Z / 2) / (of + Z * Z)
    reach = Z * sqrt(hits * (1 - hits / of) + Z * Z / 4) / (of + Z * Z)
    return Estimate(hits / of, max(middle - reach, 0.0), min(middle + reach, 1.0), of)
