"""Pictures of days against a model's training days: how far columns moved, volume by day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fraud_detection.plots.style import (AMBER, BLUE, GREEN, GREY, ORANGE, days_below, figure,
                                         label_rows, legend, panels, percent, percentages,
                                         thousands)

__all__ = ["MOVED_FAR", "by_day", "psi"]

Numbers = NDArray[Any]
MOVED, MOVED_FAR = 0.1, 0.25  # the customary bounds of the population stability index


def psi(table: pd.DataFrame) -> Figure:
    """How far each column moved from the training span; `table` has the columns column and psi."""
    known = table.dropna(subset=["psi"]).sort_values("psi", ascending=False)
    changed = int((known["psi"] >= MOVED_FAR).sum())
    drawn, axes = figure(f"{changed} of {len(known)} columns moved far from the training span",
                         height=1.5 + 0.24 * max(len(known), 4),
                         x="population stability index against the training span")
    value = known["psi"].to_numpy(float)
    colours = np.select([value >= MOVED_FAR, value >= MOVED], [ORANGE, AMBER], BLUE)
    axes.barh(np.arange(len(known)), value, color=list(colours), height=0.7)
    for bound, name in ((MOVED, "moved"), (MOVED_FAR, "moved far")):
        axes.axvline(bound, color=GREY, linewidth=1, linestyle="--")
        axes.text(bound, 1.0, f" {name}: {bound}", transform=axes.get_xaxis_transform(),
                  fontsize=9, color=GREY, va="bottom")
    axes.set_xlim(0, max(1.4 * MOVED_FAR, 1.05 * value.max(initial=0)))
    label_rows(axes, list(known["column"]))
    return drawn


def by_day(table: pd.DataFrame) -> Figure:
    """Volume, fraud and alert share, and mean score over days.

    Args:
        table: columns day (dates), transactions, fraud_rate (share), alerts (count), mean_score;
            all but the first two may be missing on a day.
    """
    numbers = table.sort_values("day")
    day = numbers["day"].to_numpy("datetime64[s]")
    count = numbers["transactions"].to_numpy(float)
    rate = numbers["fraud_rate"].to_numpy(float)
    alerts = numbers["alerts"].to_numpy(float) / np.where(count > 0, count, np.nan)
    title = (f"{len(day)} days: {percent(_mean(rate, count))} fraud, "
             f"{percent(_mean(alerts, count))} alerts")
    drawn, (top, middle, bottom) = panels(title, rows=3, height=6.6, share_x=True)
    top.plot(day, count, "-o", color=BLUE, markersize=4)
    middle.plot(day, rate, "-o", color=ORANGE, markersize=4,
                label="fraud")
    middle.plot(day, alerts, "--s", color=BLUE, markersize=4, label="alerts")
    bottom.plot(day, numbers["mean_score"].to_numpy(float), "-o", color=GREEN, markersize=4)
    top.set_ylabel("transactions")
    middle.set_ylabel("share of\ntransactions")
    bottom.set(ylabel="mean score", xlabel="day (UTC)")
    thousands(top)
    percentages(middle)
    percentages(bottom)
    if len(day):
        days_below(bottom)
        legend(middle, "upper left", columns=2)
    return drawn


def _mean(share: Numbers, count: Numbers) -> float:
    """The share over all days on which it is known; NaN if there is no such day."""
    known = np.isfinite(share) & (count > 0)
    return float(np.average(share[known], weights=count[known])) if known.any() else float("nan")
