"""The kernel's aggregates for a single event: plain Python on running sums and flags."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from typing import TypeAlias

from branchline.features.kernel import DAY, UNIT
from branchline.features.online.history import MISSING, Series

__all__ = ["AGGREGATES", "Row", "Step"]

Row: TypeAlias = dict[str, float]
# Takes the row so far, the series, the windows' edges, all events' times, and the event's time.
Step: TypeAlias = Callable[[Row, Mapping[str, Series], list[int], "array[int]", int], float]
HIT, MISS = b"\1", b"\0"


def _count(name: str, far: int, near: int, empty: float) -> Step:
    def step(row: Row, series: Mapping[str, Series], edges: list[int], times: array[int],
             now: int) -> float:
        return float(_known(series[name], edges[far], edges[near]))
    return step


def _known(series: Series, first: int, end: int) -> int:
    """How many of the events from `first` up to before `end` have a value."""
    missing = series.flags.count(MISSING, first, end) if series.missing else 0
    return max(end - first - missing, 0)


def _mean(name: str, far: int, near: int, empty: float) -> Step:
    def step(row: Row, series: Mapping[str, Series], edges: list[int], times: array[int],
             now: int) -> float:
        column, first, end = series[name], edges[far], edges[near]
        count = end - first
        if column.missing:
            count -= column.flags.count(MISSING, first, end)
        if count <= 0:
            return empty
        # Floats, as NumPy divides: dividing integers would round once, not twice.
        return float(column.sums[end] - column.sums[first]) / UNIT / count
    return step


def _max(name: str, far: int, near: int, empty: float) -> Step:
    def step(row: Row, series: Mapping[str, Series], edges: list[int], times: array[int],
             now: int) -> float:
        column = series[name]
        values = column.values[edges[far]:edges[near]]
        if column.missing:
            return max((value for value in values if value == value), default=empty)
        return max(values, default=empty)
    return step


def _since_last(name: str, far: int, near: int, empty: float) -> Step:
    def step(row: Row, series: Mapping[str, Series], edges: list[int], times: array[int],
             now: int) -> float:
        at = series[name].flags.rfind(HIT, edges[far], edges[near])
        return empty if at < 0 else (now - times[at]) / DAY
    return step


def _since_first(name: str, far: int, near: int, empty: float) -> Step:
    def step(row: Row, series: Mapping[str, Series], edges: list[int], times: array[int],
             now: int) -> float:
        at = series[name].flags.find(HIT, edges[far], edges[near])
        return empty if at < 0 else (now - times[at]) / DAY
    return step


def _run(name: str, far: int, near: int, empty: float) -> Step:
    def step(row: Row, series: Mapping[str, Series], edges: list[int], times: array[int],
             now: int) -> float:
        column, end = series[name], edges[near]
        return float(_known(column, _run_start(column, edges[far], end), end))
    return step


def _since_run_start(name: str, far: int, near: int, empty: float) -> Step:
    def step(row: Row, series: Mapping[str, Series], edges: list[int], times: array[int],
             now: int) -> float:
        column, end = series[name], edges[near]
        at = column.flags.find(HIT, _run_start(column, edges[far], end), end)
        return empty if at < 0 else (now - times[at]) / DAY
    return step


def _run_start(series: Series, first: int, end: int) -> int:
    return max(series.flags.rfind(MISS, first, end) + 1, first)


# Each makes a step from a column, the numbers of its window's edges, and the empty window's value.
AGGREGATES: Mapping[str, Callable[[str, int, int, float], Step]] = {
    "count": _count, "mean": _mean, "max": _max, "since_last": _since_last,
    "since_first": _since_first, "run": _run, "since_run_start": _since_run_start}
