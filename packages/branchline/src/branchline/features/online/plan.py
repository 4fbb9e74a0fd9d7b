"""The definitions of one entity, prepared for computing them event by event."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias
from zlib import crc32

from branchline.features.kernel import (DAY, LARGEST_RATIO, Definition, Product, Ratio, Window,
                                        look_back_days, used_by)
from branchline.features.online.aggregates import AGGREGATES, Row, Step
from branchline.features.online.history import History, Kept, Series

__all__ = ["Plan"]

Put: TypeAlias = Callable[[Series, int, float], None]
PRESENT = "present"


class Plan:
    """Computes the same as `kernel.compute`, to the last bit, for one event of a history.

    Columns that windows use are stored with the events, derived ones as well, so that the cost does
    not grow with the depth of nested windows.

    Args:
        listed: the definitions of one entity, in the order in which they are computed.
    """

    def __init__(self, listed: Sequence[Definition]) -> None:
        self.entity = listed[0].entity
        self.fingerprint = crc32(repr(tuple(listed)).encode())
        self.reach = look_back_days(listed) * DAY
        windows = [each for each in listed if isinstance(each, Window)]
        made = {each.name for each in listed}
        self.raw = sorted({name for each in listed for name in used_by(each)} - made - {PRESENT})
        looked_at = {each.value for each in windows if not _counts_all(each)}
        self.columns = {name: _kept(name, windows, name not in made)
                        for name in sorted(looked_at | set(self.raw))}
        self._derived = made & set(self.columns)
        self._shifts = sorted({days for each in windows for days in _shifts(each)})
        self._steps = [(each.name, self._step(each), each.name in self._derived)
                       for each in listed]
        self._refreshed = self._needed(listed)
        refreshed = {name for name, _, _ in self._refreshed}
        self._refreshes_windows = any(each.name in refreshed for each in windows)
        self._later = {name for name in (*self.raw, PRESENT) if self._reaches_later(name, listed)}

    def _reaches_later(self, name: str, listed: Sequence[Definition]) -> bool:
        """Whether a new value of the column changes what is stored with later events."""
        touched, later = {name}, set[str]()
        for each in listed:
            used = set(used_by(each))
            if used & later or (isinstance(each, Window) and used & touched):
                later.add(each.name)
            elif used & touched:
                touched.add(each.name)
        return bool(later & self._derived)

    def _needed(self, listed: Sequence[Definition]) -> list[tuple[str, Step, bool]]:
        """The steps to the derived columns that are stored."""
        needed = set(self._derived)
        for each in reversed(listed):
            if each.name in needed:
                needed.update(used_by(each))
        return [step for step in self._steps if step[0] in needed]

    def _step(self, each: Definition) -> Step:
        if isinstance(each, Window):
            return _window(each, self._shifts)
        if isinstance(each, Ratio):
            return _ratio(each)
        if isinstance(each, Product):
            left, right = each.left, each.right
            return lambda row, *_: row[left] * row[right]
        of = each.of
        return lambda row, *_: 1 - row[of]

    def history(self, record: bytes | None) -> History:
        """The events of a record; empty if there is none."""
        if record is None:
            return History(self.columns)
        return History.unpacked(record, self.columns, self.fingerprint)

    def row(self, history: History, at: int, put: Put | None = None) -> Row:
        """The event's values and features; `put` stores those to keep."""
        return self._row(history, at, put, self._steps)

    def _row(self, history: History, at: int, put: Put | None,
             steps: Sequence[tuple[str, Step, bool]]) -> Row:
        times, series = history.times, history.series
        now = times[at]
        edges = [at, at + 1]
        if steps is self._steps or self._refreshes_windows:
            edges += [bisect_right(times, now - shift, 0, at + 1) for shift in self._shifts]
        row = {name: series[name].values[at] for name in self.raw}
        row[PRESENT] = 1.0
        for name, step, is_kept in steps:
            row[name] = value = step(row, series, edges, times, now)
            if is_kept and put:
                put(series[name], at, value)
        return row

    def insert(self, history: History, at: int, time: int, key: str,
               values: Mapping[str, float]) -> Row:
        """Insert an event at its position; its values and features."""
        history.insert(at, time, key)
        for name in self.raw:
            history.series[name].insert(at, values.get(name, float("nan")))
        if PRESENT in self.columns:
            history.series[PRESENT].insert(at, 1.0)
        row = self.row(history, at, Series.insert)
        if at + 1 < len(history.times) and self._later:
            self._refresh(history, at + 1, len(history.times))
        return row

    def set(self, history: History, at: int, values: Mapping[str, float]) -> None:
        """Set the given columns of the event to new values."""
        changed = [name for name in self.raw if name in values]
        for name in changed:
            history.series[name].set(at, values[name])
        reaches_later = any(name in self._later for name in changed)
        self._refresh(history, at, len(history.times) if reaches_later else at + 1)

    def _refresh(self, history: History, first: int, end: int) -> None:
        for at in range(first, end) if self._derived else ():
            self._row(history, at, Series.set, self._refreshed)


def _counts_all(each: Window) -> bool:
    return each.value == PRESENT and each.aggregate == "count"


def _kept(name: str, windows: Sequence[Window], is_raw: bool) -> Kept:
    used = {each.aggregate for each in windows if each.value == name}
    return Kept(is_raw or "max" in used, "mean" in used)


def _shifts(each: Window) -> tuple[int, ...]:
    """How many milliseconds before the event the window's edges are, without the event itself."""
    far = (each.days + each.delay) * DAY
    return (far, each.delay * DAY) if each.delay else (far,)


def _window(each: Window, shifts: Sequence[int]) -> Step:
    """The first two edges are at the event and after it."""
    far = 2 + shifts.index((each.days + each.delay) * DAY)
    near = 2 + shifts.index(each.delay * DAY) if each.delay else int(not each.earlier)
    if _counts_all(each):
        return lambda row, series, edges, *_: float(max(edges[near] - edges[far], 0))
    empty = float(each.days + each.delay if each.empty is None else each.empty)
    return AGGREGATES[each.aggregate](each.value, far, near, empty)


def _ratio(each: Ratio) -> Step:
    over, under = each.over, each.under

    def step(row: Row, *_: object) -> float:
        divisor = next((row[name] for name in under if row[name] != 0), 0.0)
        quotient = row[over] / divisor if divisor > 0 else 1.0
        return LARGEST_RATIO if quotient > LARGEST_RATIO else quotient

    return step
