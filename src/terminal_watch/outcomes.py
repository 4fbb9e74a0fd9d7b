"""What became of the terminals on the lists, and of those that were compromised.

The data alone say which were: `run_frauds` frauds within `run_days`. Everything is additive by
terminal and day, so that KPIs of any part are ratios of sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from branchline import BadInput
from branchline.gate.outcomes import Kpi
from terminal_watch.counts import Counts, Floats
from terminal_watch.settings import Settings
from terminal_watch.statistic import recent

__all__ = ["KPIS", "Days", "by_unit", "episodes", "kpis", "list_grid", "measured_days", "outcomes"]

Flags = NDArray[np.bool_]
KPIS: Mapping[str, Kpi] = {
    "precision": Kpi("new_hits", "new"),
    "list_precision": Kpi("listed_hits", "listed"),
    "found_share": Kpi("found", "compromised"),
    "days_to_find": Kpi("wait", "found"),
    "money_share": Kpi("stopped", "lost"),
    "money_stopped": Kpi("stopped"),
    "alerts_a_day": Kpi("new", "days"),
    "listed_a_day": Kpi("listed", "days"),
    "compromised": Kpi("compromised")}


@dataclass(frozen=True)
class Days:
    """The days with measured lists, as indices of the counts' days, both included."""

    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


def measured_days(counts: Counts, settings: Settings) -> Days:
    """From the first day with a label to the last whose horizon is known.

    Raises:
        BadInput: there is no such day.
    """
    first, last = counts.delay + 1, counts.days - 1 - counts.delay - settings.horizon_days
    if settings.first_day:
        first = max(first, counts.index(settings.first_day))
    if settings.last_day:
        last = min(last, counts.index(settings.last_day))
    if last < first:
        raise BadInput(
            f"the data cover {counts.day(0)} to {counts.day(counts.days - 2)}: no list can be "
            f"measured, which needs label_delay_days ({counts.delay}) before it and "
            f"label_delay_days + horizon_days ({settings.horizon_days}) after it; give more days, "
            "or a first_day and last_day that have them.")
    return Days(first, last)


def list_grid(counts: Counts, rows: pd.DataFrame) -> Flags:
    """Whether a terminal is listed on a day, terminals x days; `rows` have day and terminal_id.

    Raises:
        BadInput: a terminal is listed that has no known fraud in these counts.
    """
    found = np.zeros(counts.frauds.shape, dtype=np.bool_)
    terminal = pd.Index(counts.terminals).get_indexer(pd.Index(rows["terminal_id"]))
    day = (rows["day"].to_numpy("datetime64[D]") - np.datetime64(counts.first)).astype(np.int64)
    if ((terminal < 0) | (day < 0) | (day >= counts.days)).any():
        raise BadInput("gold.watched_terminals does not belong to silver.transactions as they are "
                       "now; run the step watch, then measure.")
    found[terminal, day] = True
    return found


def episodes(counts: Counts, settings: Settings) -> pd.DataFrame:
    """When terminals were compromised: terminal, start, end; indices, days both included.

    An episode is a series of frauds with gaps of at most `run_days`, with at least `run_frauds`
    within some `run_days`. It lasts from the first fraud to the last.
    """
    lately, fraud = recent(counts.frauds, settings.run_days), counts.frauds > 0
    edges = np.diff(np.pad((lately > 0).astype(np.int8), ((0, 0), (1, 1))), axis=1)
    terminal, start = np.nonzero(edges == 1)
    end = np.nonzero(edges == -1)[1] - 1
    is_run = _next(lately >= settings.run_frauds)[terminal, start] <= end
    last = counts.days - 1 - _next(fraud[:, ::-1])[:, ::-1]
    return pd.DataFrame({"terminal": terminal, "start": start, "end": last[terminal, end]})[is_run]


def _next(flags: Flags) -> NDArray[np.int64]:
    """For each day, the first day from it on that has the flag, else the number of days."""
    days = flags.shape[1]
    found = np.where(flags, np.arange(days), days)
    return np.minimum.accumulate(found[:, ::-1], axis=1)[:, ::-1]


def outcomes(counts: Counts, listed: Flags, settings: Settings, days: Days) -> pd.DataFrame:
    """The rows behind the KPIS: list entries and episodes, with terminal and day (indices).

    Columns: listed, listed_hits (a fraud from that day on within the horizon), new (not listed
    the day before), new_hits; compromised, found (listed while it lasted), wait (days until
    then), lost (amount of its frauds), stopped (of those on listed days). An episode's day is its
    start.
    """
    return pd.concat([_entries(counts, listed, settings, days),
                      _episodes(counts, listed, settings, days)], ignore_index=True).fillna(0.0)


def _entries(counts: Counts, listed: Flags, settings: Settings, days: Days) -> pd.DataFrame:
    new = listed & ~np.pad(listed, ((0, 0), (1, 0)))[:, :-1]
    terminal, day = np.nonzero(listed)
    inside = (day >= days.first) & (day <= days.last)
    terminal, day = terminal[inside], day[inside]
    sums = recent(counts.frauds, settings.horizon_days)
    hit = (sums[terminal, day + settings.horizon_days - 1] > 0).astype(float)
    is_new = new[terminal, day].astype(float)
    return pd.DataFrame({"terminal": terminal, "day": day, "listed": 1.0, "listed_hits": hit,
                         "new": is_new, "new_hits": is_new * hit})


def _episodes(counts: Counts, listed: Flags, settings: Settings, days: Days) -> pd.DataFrame:
    found = episodes(counts, settings)
    found = found[found["start"].between(days.first, days.last)]
    terminal, start, end = (found[name].to_numpy() for name in ("terminal", "start", "end"))
    first_listed = _next(listed)[terminal, start]
    in_time = first_listed <= end
    lost, stopped = (_between(each, terminal, start, end)
                     for each in (counts.lost, counts.lost * listed))
    return pd.DataFrame({"terminal": terminal, "day": start, "compromised": 1.0,
                         "found": in_time.astype(float),
                         "wait": np.where(in_time, first_listed - start, 0.0),
                         "lost": lost, "stopped": stopped})


def _between(amounts: Floats, terminal: NDArray[np.int64], start: NDArray[np.int64],
             end: NDArray[np.int64]) -> Floats:
    sums = np.pad(np.cumsum(amounts, axis=1), ((0, 0), (1, 0)))
    found: Floats = sums[terminal, end + 1] - sums[terminal, start]
    return found


def kpis(rows: pd.DataFrame, days: int) -> dict[str, float]:
    """The KPIS of `outcomes`; a KPI without data is left out."""
    sums = {**rows.sum(), "days": days}
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {name: float(kpi.of(sums)) for name, kpi in KPIS.items()}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def by_unit(rows: pd.DataFrame, counts: Counts, days: Days) -> pd.DataFrame:
    """The sums of `outcomes` by terminal_id and day (a date).

    A terminal without outcomes has a row of zeros, and so has a day: the gate resamples all that
    could have been listed.
    """
    every = np.arange(max(len(counts.terminals), days.count))
    empty = pd.DataFrame({"terminal": every % len(counts.terminals),
                          "day": days.first + every % days.count})
    found = (pd.concat([rows, empty], ignore_index=True).fillna(0.0)
             .groupby(["terminal", "day"], as_index=False).sum())
    found.insert(0, "terminal_id", counts.terminals[found.pop("terminal").to_numpy()])
    found["day"] = np.datetime64(counts.first, "D") + found["day"].to_numpy().astype(np.int64)
    return found
