"""Whether a window's level, such as its rows, is unlike that of the windows before it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from scipy.stats import t as student

__all__ = ["level_test"]

FEWEST, MOST = 7, 28  # windows to compare with
FACTOR = 1.5  # a smaller change never counts
DEVIATIONS = 6.0
NORMAL = 1.4826  # the standard deviation of normal values in median absolute deviations


def level_test(before: Sequence[float], value: float,
               noise: float = 0.0) -> tuple[float, bool] | None:
    """The p-value of `value` among the newest of the earlier values, and whether it is far off.

    Far is FACTOR times larger or smaller than their median, and DEVIATIONS standard deviations
    away, which are measured robustly. `noise` is the standard deviation that chance alone brings.
    None: there are too few of them.
    """
    known = list(before)[-MOST:]
    if len(known) < FEWEST:
        return None
    middle = median(known)
    deviation = max(NORMAL * median(abs(each - middle) for each in known), noise)
    gap = abs(value - middle)
    if not gap:
        return 1.0, False
    p_value = 2 * float(student.sf(gap / deviation, len(known) - 1)) if deviation else 0.0
    is_far = gap > DEVIATIONS * deviation and not middle / FACTOR <= value <= middle * FACTOR
    return p_value, is_far
