"""The one kernel: computes features of time-ordered events from definitions, on arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Complement", "DAY", "Definition", "Floats", "Ints", "Product", "Ratio", "Window",
           "compute", "look_back_days", "time_order"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY = 86_400_000  # milliseconds, the unit of all times here
UNIT = 1_000_000
LARGEST_RATIO = 1_000.0


@dataclass(frozen=True)
class Window:
    """An aggregate of `value` over an entity's events in (t - delay - days, t - delay].

    With no delay the window ends with the event itself or, if `earlier`, before it. `empty` is the
    result for a window without events; for the aggregates that count days, None means the window's
    length. The window skips events whose value is missing (NaN). Its `meaning`, as that of the
    other definitions, is a sentence for people, and no part of what is compared.
    """

    name: str
    entity: str
    aggregate: str
    value: str
    days: int
    delay: int = 0
    earlier: bool = False
    empty: float | None = 0.0
    meaning: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class Ratio:
    """`over` / `under`, at most LARGEST_RATIO; 1 if `under` is 0, that is without history."""

    name: str
    entity: str
    over: str
    under: tuple[str, ...]  # the first that is not 0
    meaning: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class Product:
    """`left` * `right`."""

    name: str
    entity: str
    left: str
    right: str
    meaning: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class Complement:
    """1 - `of`, such as "genuine" of a label that is 1 for fraud."""

    name: str
    entity: str
    of: str
    meaning: str = field(default="", repr=False, compare=False)


Definition = Window | Ratio | Product | Complement


def used_by(each: Definition) -> tuple[str, ...]:
    """The names of what a definition is computed from."""
    if isinstance(each, Window):
        return (each.value,)
    if isinstance(each, Ratio):
        return (each.over, *each.under)
    if isinstance(each, Product):
        return (each.left, each.right)
    return (each.of,)


def look_back_days(listed: Sequence[Definition]) -> int:
    """How many days before an event the definitions look back, including nested windows."""
    reach: dict[str, int] = {}
    for each in listed:
        own = each.days + each.delay if isinstance(each, Window) else 0
        reach[each.name] = own + max(reach.get(name, 0) for name in used_by(each))
    return max(reach.values(), default=0)


def time_order(entity: Ints, time: Ints, ids: Sequence[object]) -> Ints:
    """The order of events by entity, time and id, shorter ids first, so numbers sort as numbers.

    `entity` numbers the entities from 0; an id is what `str` makes of an element of `ids`.
    """
    if not len(time):
        return np.array([], np.int64)
    since = time - time.min()
    span = int(since.max()) + 1
    one_key = (int(entity.max()) + 1) * span < 2**63
    order = np.argsort(entity * span + since) if one_key else np.lexsort((time, entity))
    same = (np.diff(entity[order]) == 0) & (np.diff(time[order]) == 0)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False])).astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        tied = [(str(ids[row]), row) for row in order[start:end + 1]]
        order[start:end + 1] = [row for _, row in sorted(tied, key=lambda one: (len(one[0]), one))]
    return order


def compute(listed: Sequence[Definition], entity: Ints, time: Ints,
            values: Mapping[str, Floats]) -> dict[str, Floats]:
    """All `listed` features, one array each.

    Args:
        listed: definitions of one entity; each may use the earlier ones as its value.
        entity: a number for each event's entity.
        time: milliseconds since 1970-01-01 UTC.
        values: the columns that definitions name, by event; NaN if a value is not known. `present`,
            which is 1 for every event, is there as well.

    All arrays have one element per event, ordered as `time_order` says. An event's features depend
    only on its own entity's events in its windows, to the last bit: a large batch and a few recent
    events give the same result.
    """
    events = _Events(entity, time, look_back_days(listed))
    columns = {"present": np.ones(len(time)), **values}
    for each in listed:
        if isinstance(each, Window):
            columns[each.name] = events.aggregate(each, columns[each.value])
        elif isinstance(each, Ratio):
            columns[each.name] = _ratio(columns[each.over], [columns[name] for name in each.under])
        elif isinstance(each, Product):
            columns[each.name] = columns[each.left] * columns[each.right]
        else:
            columns[each.name] = 1 - columns[each.of]
    return {each.name: columns[each.name] for each in listed}


def _ratio(over: Floats, under: Sequence[Floats]) -> Floats:
    divisor = under[0]
    for column in under[1:]:
        divisor = np.where(divisor == 0, column, divisor)
    quotient = np.divide(over, divisor, out=np.ones(len(over)), where=divisor > 0)
    return np.minimum(quotient, LARGEST_RATIO)


class _Events:
    """Puts all events on one time line, with the entities further apart than any window reaches."""

    def __init__(self, entity: Ints, time: Ints, reach: int) -> None:
        starts = np.flatnonzero(np.diff(entity, prepend=-1))
        sizes = np.diff(starts, append=len(entity))
        spans = time[starts + sizes - 1] - time[starts] + reach * DAY + 1
        offsets = np.cumsum(spans) - spans - time[starts]
        self.time = time
        self.position = time + np.repeat(offsets, sizes)
        self._edges: dict[tuple[str, int], Ints] = {}

    def aggregate(self, window: Window, value: Floats) -> Floats:
        known = ~np.isnan(value)
        at = slice(None) if known.all() else known
        among = window.value if at is known else "all events"
        far = self._edge(among, self.position[at], window.days + window.delay)
        near = (self._edge(among, self.position[at], window.delay) if window.delay
                else np.cumsum(known, dtype=np.int64) - known * window.earlier)
        empty = float(window.days + window.delay if window.empty is None else window.empty)
        seen = _Seen(self.time, self.time[at], value[at], np.minimum(far, near), near, empty)
        return AGGREGATES[window.aggregate](seen)

    def _edge(self, among: str, position: Ints, days: int) -> Ints:
        """How many of the events at `position` lie `days` or more before each event; cached."""
        if (among, days) not in self._edges:
            self._edges[among, days] = np.searchsorted(position, self.position - days * DAY,
                                                       "right")
        return self._edges[among, days]


@dataclass(frozen=True)
class _Seen:
    """The known events that each event sees: from `far` up to, but not including, `near`."""

    now: Ints
    time: Ints
    value: Floats
    far: Ints
    near: Ints
    empty: float

    def or_empty(self, found: NDArray[np.bool_], result: Floats) -> Floats:
        return np.where(found, result, self.empty)

    def days_since(self, event: Ints) -> Floats:
        """Days since the known event with that number, if it is in the window."""
        found = (event >= self.far) & (event < self.near)
        then = self.time[np.where(found, event, 0)] if len(self.time) else self.now
        return self.or_empty(found, (self.now - then) / DAY)


def _count(seen: _Seen) -> Floats:
    return (seen.near - seen.far).astype(np.float64)


def _mean(seen: _Seen) -> Floats:
    # Whole millionths: a running sum of floats would depend on everything summed before.
    total = np.concatenate(([0], np.cumsum(np.rint(seen.value * UNIT).astype(np.int64))))
    count = np.maximum(seen.near - seen.far, 1)
    return seen.or_empty(seen.near > seen.far, (total[seen.near] - total[seen.far]) / UNIT / count)


def _max(seen: _Seen) -> Floats:
    """Two overlapping spans of 2**level events cover a window; `table` has the spans' maxima."""
    size = seen.near - seen.far
    level_of = np.frexp(size)[1] - 1
    result = np.full(len(size), seen.empty)
    table = seen.value.copy()
    for level in range(level_of.max(initial=-1) + 1):
        rows = np.flatnonzero(level_of == level)
        span = 1 << level
        result[rows] = np.maximum(table[seen.far[rows]], table[seen.near[rows] - span])
        table[:-span] = np.maximum(table[:-span], table[span:])
    return result


def _last(hit: NDArray[np.bool_]) -> Ints:
    """For n = 0, 1, ...: which of the first n events is the last hit; -1 for none."""
    hits = np.where(hit, np.arange(len(hit)), -1)
    return np.concatenate(([-1], np.maximum.accumulate(hits)))


def _since_last(seen: _Seen) -> Floats:
    return seen.days_since(_last(seen.value > 0)[seen.near])


def _since_first(seen: _Seen) -> Floats:
    hits = np.where(seen.value > 0, np.arange(len(seen.value)), len(seen.value))
    following = np.minimum.accumulate(np.append(hits, len(seen.value))[::-1])[::-1]
    return seen.days_since(following[seen.far])


def _run_start(seen: _Seen) -> Ints:
    return np.maximum(_last(seen.value <= 0)[seen.near] + 1, seen.far)


def _run(seen: _Seen) -> Floats:
    return (seen.near - _run_start(seen)).astype(np.float64)


def _since_run_start(seen: _Seen) -> Floats:
    return seen.days_since(_run_start(seen))


AGGREGATES: Mapping[str, Callable[[_Seen], Floats]] = {
    "count": _count,
    "mean": _mean,
    "max": _max,
    "since_last": _since_last,  # days since the last event whose value is above 0
    "since_first": _since_first,  # days since the first such event in the window
    "run": _run,  # how many of the latest events in a row are above 0
    "since_run_start": _since_run_start,  # days since the first of them
}
