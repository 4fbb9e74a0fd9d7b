"""Conditions on measures: whether one holds in the newest windows, for each series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from branchline.monitoring.measures import Measure

__all__ = ["ANY", "Condition", "Finding", "Series", "VERDICTS"]

ANY = "*"
VERDICTS = ("ok", "changed", "too_few")


class Series(NamedTuple):
    """What the windows of one measure belong to."""

    model_version: str
    slice: str
    subject: str


@dataclass(frozen=True)
class Finding:
    """Whether a condition holds for a series; None: the newest window says nothing.

    `newest` is the measure in that window, `line` the reason in words.
    """

    holds: bool | None
    newest: Measure
    line: str


@dataclass(frozen=True)
class Condition:
    """A bound on a measure, or its verdict, in each of the last `windows` windows.

    `subject` and `slice` may be `*`, for any. Where a measure has an interval, all of it must be
    beyond the bound. Windows with a value of None or too few rows neither count nor interrupt.
    """

    measure: str
    subject: str = ANY
    slice: str = ""
    above: float | None = None
    below: float | None = None
    verdict: str | None = None
    windows: int = 1

    def findings(self, measures: Iterable[Measure]) -> Mapping[Series, Finding]:
        """A finding for each series that has the measure's newest window."""
        found: dict[Series, list[Measure]] = defaultdict(list)
        for each in measures:
            if self._is_about(each):
                found[Series(each.model_version, each.slice, each.subject)].append(each)
        newest = max((each.window_end for series in found.values() for each in series),
                     default=None)
        by_series = {series: sorted(those, key=lambda each: each.window_end)
                     for series, those in found.items()}
        return {series: self._finding(those) for series, those in by_series.items()
                if those[-1].window_end == newest}

    def _is_about(self, measure: Measure) -> bool:
        return (measure.name == self.measure and self.subject in (ANY, measure.subject)
                and self.slice in (ANY, measure.slice))

    def _finding(self, windows: list[Measure]) -> Finding:
        newest = windows[-1]
        if not self._says_something(newest):
            return Finding(None, newest, f"{self._name(newest)}: nothing can be said of "
                                         f"{newest.rows:,} rows")
        last = [each for each in windows if self._says_something(each)][-self.windows:]
        holds = len(last) == self.windows and all(map(self._is_beyond, last))
        return Finding(holds, newest, self._line(newest))

    def _says_something(self, measure: Measure) -> bool:
        if self.verdict is not None:
            return measure.verdict != "too_few" or self.verdict == "too_few"
        return measure.value is not None and measure.verdict != "too_few"

    def _is_beyond(self, measure: Measure) -> bool:
        if self.verdict is not None:
            return measure.verdict == self.verdict
        assert measure.value is not None
        low = measure.value if measure.low is None else measure.low
        high = measure.value if measure.high is None else measure.high
        return (self.above is not None and low > self.above) or (
            self.below is not None and high < self.below)

    def _line(self, measure: Measure) -> str:
        value = "no value" if measure.value is None else f"{measure.value:.4g}"
        interval = "" if measure.low is None or measure.high is None else (
            f" ({measure.low:.4g} to {measure.high:.4g})")
        windows = f" in {self.windows} windows" if self.windows > 1 else ""
        return (f"{self._name(measure)} is {value}{interval} in {measure.rows:,} rows up to "
                f"{measure.window_end:%Y-%m-%d %H:%M}, asked: {self._bound}{windows}")

    @property
    def _bound(self) -> str:
        bounds = (("above", self.above), ("below", self.below))
        told = [f"{name} {bound:g}" for name, bound in bounds if bound is not None]
        return " or ".join(told) if self.verdict is None else f"verdict {self.verdict}"

    def _name(self, measure: Measure) -> str:
        of = [measure.subject, measure.slice,
              f"model {measure.model_version}" if measure.model_version else ""]
        return f"{measure.name} of {', '.join(each for each in of if each)}"
