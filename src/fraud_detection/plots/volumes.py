"""Volume and fraud, by day, hour, amount and terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fraud_detection.plots.section import Section
from fraud_detection.plots.style import (BLUE, ORANGE, days_below, interval, legend, panels,
                                         percent, percentages, shares_by_name, thousands, whole)

__all__ = ["amounts", "days", "hours", "overall_share", "terminals"]

FRAUD_BANDS = {1: "1", 2: "2–4", 5: "5–9", 10: "10–19", 20: "20–49", 50: "50 +"}


def days(table: pd.DataFrame) -> Section:
    """Volume and fraud share over `explore.by_day`'s table."""
    day, share = table["day"].to_numpy(), _share(table)
    title = (f"{whole(table['transactions'].median())} transactions on a median day, "
             f"{percent(overall_share(table))} of them fraud" if len(table) else "No transactions")
    drawn, (above, below) = panels(title, rows=2, height=5.2, share_x=True)
    above.fill_between(day, table["transactions"].to_numpy(float), color=BLUE, alpha=0.25, lw=0)
    above.plot(day, table["transactions"], color=BLUE, linewidth=1.5)
    below.plot(day, share, "o", color=ORANGE, markersize=3, alpha=0.45, label="day")
    below.plot(day, _weekly(table), color=ORANGE, linewidth=2, label="7 days around it")
    above.set_ylabel("transactions a day")
    below.set(ylabel="share that is fraud", xlabel="day (UTC)")
    thousands(above)
    percentages(below)
    if len(table):
        days_below(below)
        legend(below, "upper left", columns=2)
    still = int((table["transactions"] == 0).sum())
    return Section("volume_by_day", "By day", "Transactions a day, and the share of the labelled "
                   "ones that is fraud. Days between the first and the last without any "
                   f"transaction: {whole(still) if still else 'none'}.", drawn)


def _weekly(table: pd.DataFrame) -> pd.Series[float]:
    sums = table[["frauds", "labelled"]].rolling(7, center=True, min_periods=1).sum()
    return sums["frauds"] / sums["labelled"].where(sums["labelled"] > 0)


def _share(table: pd.DataFrame) -> pd.Series[float]:
    return table["frauds"] / table["labelled"].where(table["labelled"] > 0)


def overall_share(table: pd.DataFrame) -> float:
    """The share of fraud among the labelled rows, 0 to 1; NaN without any."""
    labelled = table["labelled"].sum()
    return float(table["frauds"].sum() / labelled) if labelled else float("nan")


def hours(table: pd.DataFrame) -> Section:
    """Volume and fraud share over `explore.by_hour`'s table."""
    names = [str(hour) for hour in table["hour"]]
    drawn = shares_by_name(_standing_out("hour", [f"{name}:00 UTC" for name in names], table),
                           names, *_columns(table), x="hour of the day (UTC)")
    return Section("by_hour", "By hour of the day", "When transactions happen, and the share of "
                   "the labelled ones that is fraud, with its 95% interval.", drawn)


def amounts(table: pd.DataFrame) -> Section:
    """Volume and fraud share over `explore.by_amount`'s table."""
    names = list(table["band"])
    drawn = shares_by_name(_standing_out("amount band", names, table),
                           [name.replace(" to ", "\nto ") for name in names],
                           *_columns(table), x="amount (in the currency of the data)")
    return Section("by_amount", "By amount", "How large transactions are, and the share of the "
                   "labelled ones that is fraud, with its 95% interval. An amount that is equal to "
                   "a bound belongs to the band above it.", drawn)


def _columns(table: pd.DataFrame) -> list[ArrayLike]:
    return [table[name].to_numpy() for name in ("transactions", "frauds", "labelled")]


def _standing_out(kind: str, names: Sequence[str], table: pd.DataFrame) -> str:
    """A title: the class with the highest fraud share, if chance does not explain that."""
    share = _share(table)
    low, _ = interval(table["frauds"], table["labelled"], z=3)
    if share.notna().sum() < 2 or not table["frauds"].sum():
        return f"Transactions by {kind}"
    if low.max() <= overall_share(table):
        return f"No {kind} stands out by its fraud share ({percent(overall_share(table))} in all)"
    most = int(low.argmax())
    return (f"Fraud is most frequent at {names[most]}: {percent(share.iloc[most])}, "
            f"against {percent(overall_share(table))} in all")


def terminals(table: pd.DataFrame) -> Section:
    """Transactions and frauds of a terminal, over `explore.by_terminal`'s table."""
    each, frauds = table["terminals"].to_numpy(float), table["frauds"].to_numpy(float)
    count, hit = each.sum(), each[frauds > 0].sum()
    title = (f"{percent(hit / count)} of the terminals have at least one fraud" if count else
             "No terminals")
    drawn, (left, right) = panels(title, columns=2, height=3.8)
    if count:
        left.hist(table["transactions"], bins=_bins(table["transactions"]), weights=each,
                  color=BLUE, rwidth=0.92)
    at_least = [each[frauds >= least].sum() for least in FRAUD_BANDS] + [0.0]
    bars = right.bar(list(FRAUD_BANDS.values()), -np.diff(at_least), color=ORANGE, width=0.8)
    right.bar_label(bars, fmt=whole, padding=2)
    left.set(xlabel="transactions of a terminal", ylabel="terminals")
    right.set(xlabel="frauds of a terminal", ylabel="terminals")
    thousands(left)
    thousands(right)
    return Section("by_terminal", "By terminal", f"Of {whole(count)} terminals {whole(hit)} have "
                   f"at least one fraud (on the right, those without are left out); "
                   f"{whole(_hold_half(each, frauds))} of them hold half of all frauds.", drawn)


def _bins(values: pd.Series[float]) -> list[float]:
    """Steps of equal width, a whole number."""
    first, last = int(values.min()), int(values.max())
    step = max(1, -(-(last - first + 1) // 30))
    return [edge - 0.5 for edge in range(first, last + 2 * step, step)]


def _hold_half(each: ArrayLike, frauds: ArrayLike) -> float:
    """The fewest terminals with half of the frauds: `each` terminals have `frauds` each."""
    numbers, hits = np.asarray(each, float), np.asarray(frauds, float)
    order = np.argsort(-hits)
    reached = np.cumsum((numbers * hits)[order])
    if not len(reached) or not reached[-1]:
        return 0
    last = int(np.searchsorted(reached, reached[-1] / 2))
    over = (reached[last] - reached[-1] / 2) // hits[order][last]
    return float(numbers[order][:last + 1].sum() - over)
