"""Pictures of the lists: by day, how soon terminals were found, and the newest list."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from fraud_detection.plots.section import Section
from fraud_detection.plots.style import (AMBER, BLUE, GREY, ORANGE, days_below, figure, label_rows,
                                         legend, note, panels, percent, thousands, whole)
from terminal_watch.counts import Counts
from terminal_watch.outcomes import Days

__all__ = ["by_day", "days", "newest", "waits"]

MOST_BARS = 15


def by_day(outcomes: pd.DataFrame, counts: Counts, span: Days) -> pd.DataFrame:
    """The sums of `outcomes` for each measured day, including empty days; `day` first."""
    every = pd.RangeIndex(span.first, span.last + 1, name="day")
    found = (outcomes.drop(columns="terminal").groupby("day").sum().reindex(every, fill_value=0)
             .reset_index())
    start = np.datetime64(counts.first, "D")
    found["day"] = (start + found["day"].to_numpy(np.int64)).astype("datetime64[s]")
    return found


def days(table: pd.DataFrame) -> Section:
    """Listed and new terminals a day, and how many of the new had further fraud."""
    new, hits = table["new"].sum(), table["new_hits"].sum()
    title = (f"{percent(hits / new)} of {whole(new)} new alerts had further fraud" if new else
             "No terminal was listed")
    drawn, (above, below) = panels(title, rows=2, height=5.2, share_x=True)
    day, count = table["day"].to_numpy(), table["listed"].to_numpy(float)
    above.fill_between(day, count, color=BLUE, alpha=0.25, lw=0)
    above.plot(day, count, color=BLUE, linewidth=1.5)
    below.bar(day, table["new_hits"], color=ORANGE, width=0.8, label="with further fraud")
    below.bar(day, table["new"] - table["new_hits"], bottom=table["new_hits"], color=GREY,
              width=0.8, label="without")
    above.set_ylabel("terminals listed")
    below.set(ylabel="new on the list", xlabel="day (UTC)")
    thousands(above)
    thousands(below)
    days_below(below)
    drawn.legend(*below.get_legend_handles_labels(), loc="outside lower left", ncols=2,
                 frameon=False)
    return Section("by_day", "By day", "How many terminals are listed when a day begins, and how "
                   "many of them were not the day before. A hit has a further fraud from that day "
                   "on within the horizon.", drawn)


def waits(outcomes: pd.DataFrame) -> Section:
    """How many days after its first fraud a compromised terminal was listed."""
    cases = outcomes[outcomes["compromised"] > 0]
    found = cases[cases["found"] > 0]
    title = (f"{percent(len(found) / len(cases))} of {whole(len(cases))} compromised terminals "
             f"were found, half of them within {whole(found['wait'].median())} days" if len(found)
             else f"None of {whole(len(cases))} compromised terminals was found" if len(cases)
             else "No terminal was compromised")
    drawn, axes = figure(title, height=3.4, y="terminals",
                         x="days from the first fraud to the list")
    if len(cases):
        longest = int(found["wait"].max()) if len(found) else 0
        count = np.bincount(found["wait"].astype(int), minlength=longest + 1)
        axes.bar(np.arange(longest + 1), count, color=BLUE, width=0.85, label="found")
        if missed := len(cases) - len(found):
            axes.bar(longest + 2, missed, color=AMBER, width=0.85, label="not in time")
        thousands(axes)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend(axes, "upper right")
    else:
        note(axes, "no terminal was compromised")
    return Section("days_to_find", "How soon they are found", "Labels become known days after "
                                                              "the transaction, so no terminal "
                                                              "can be found much sooner. Which "
                                                              "terminals were compromised is "
                                                              "decided in hindsight, from their "
                                                              "frauds alone.", drawn)


def newest(rows: pd.DataFrame) -> Section:
    """Known frauds against what was expected, of the first terminals on the newest list."""
    last = rows[rows["day"] == rows["day"].max()].nsmallest(MOST_BARS, "rank")
    title = (f"The first {len(last)} on the list of {last['day'].iloc[0]:%Y-%m-%d}: "
             f"{whole(last['frauds'].sum())} known frauds where "
             f"{last['expected_frauds'].sum():,.1f} were expected" if len(last) else
             "No terminal was listed")
    drawn, axes = figure(title, height=1.6 + 0.28 * max(len(last), 4),
                         x="frauds that became known in the recent days")
    places = np.arange(len(last))
    axes.barh(places, last["transactions"], color=GREY, alpha=0.3, height=0.75,
              label="transactions")
    axes.barh(places, last["frauds"], color=ORANGE, height=0.75, label="frauds")
    axes.vlines(last["expected_frauds"], places - 0.375, places + 0.375, color=BLUE, linewidth=2,
                label="expected")
    label_rows(axes, [f"terminal {name}" for name in last["terminal_id"]])
    if len(last):
        axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=3,
                           frameon=False)
    return Section("newest_list", "The newest list", "What became known of each in the recent "
                   "days: its transactions, the frauds among them, and how many were expected "
                   "from its history.", drawn)
