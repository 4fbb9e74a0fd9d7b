"""Whether a window's level, such as its rows, is unlike that of the windows before it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from branchline.monitoring.measures import CHANGED, OK, TOO_FEW

__all__ = ["level_verdict"]

FEWEST, MOST = 7, 28  # windows to compare with
FACTOR = 1.5  # a smaller change never counts
DEVIATIONS = 6.0
NORMAL = 1.4826  # the standard deviation of normal values in median absolute deviations


def level_verdict(before: Sequence[float], value: float, noise: float = 0.0) -> str:
    """Whether `value` is far from the newest of the earlier values, by their median.

    It has to be FACTOR times larger or smaller, and DEVIATIONS standard deviations away, which are
    measured robustly. `noise` is the standard deviation that chance alone brings.
    """
    known = list(before)[-MOST:]
    if len(known) < FEWEST:
        return TOO_FEW
    middle = median(known)
    deviation = max(NORMAL * median(abs(each - middle) for each in known), noise)
    far = abs(value - middle) > DEVIATIONS * deviation
    return CHANGED if far and not middle / FACTOR <= value <= middle * FACTOR else OK
