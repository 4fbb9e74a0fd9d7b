"""The tests of a window together: what may be called changed at one false alarm rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from branchline.monitoring.measures import CHANGED, OK, TOO_FEW, Measure

__all__ = ["Unjudged", "holm", "judged"]


@dataclass(frozen=True)
class Unjudged:
    """A measure before its verdict.

    Args:
        p_value: of its test; None: it has none.
        is_far: whether the change is large enough to count, however sure it is.
        is_few: whether there are too few rows, or windows, for its test.
        is_late: whether the test has to wait for labels.
    """

    measure: Measure
    p_value: float | None = None
    is_far: bool = True
    is_few: bool = False
    is_late: bool = False


def judged(tested: Iterable[Unjudged], alarm_rate: float) -> list[Measure]:
    """The measures in their order, with verdicts.

    All tests of a window, of every column, level, slice and model version, raise a false alarm at
    most at `alarm_rate` together (Holm). Those that wait for labels have half of it for themselves,
    so that what was said before labels came stays.
    """
    each = list(tested)
    families: dict[tuple[datetime, bool], list[int]] = defaultdict(list)
    for place, one in enumerate(each):
        if one.p_value is not None and not one.is_few:
            families[one.measure.window_start, one.is_late].append(place)
    rejected: set[int] = set()
    for places in families.values():
        found = holm([each[at].p_value or 0.0 for at in places], alarm_rate / 2)
        rejected.update(at for at, is_small in zip(places, found, strict=True) if is_small)
    return [_said(one, place in rejected) for place, one in enumerate(each)]


def _said(one: Unjudged, rejected: bool) -> Measure:
    if one.is_few:
        return replace(one.measure, verdict=TOO_FEW)
    if one.p_value is None:
        return one.measure
    return replace(one.measure, verdict=CHANGED if rejected and one.is_far else OK)


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
