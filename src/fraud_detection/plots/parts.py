"""What a model relies on, and how good it is on parts of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fraud_detection.plots.ranking import Numbers
from fraud_detection.plots.style import AMBER, BLUE, GREY, figure, label_rows

__all__ = ["importance", "slices"]

MOST_BARS = 20


def importance(names: Sequence[str], mean: Numbers, spread: Numbers) -> Figure:
    """The 20 features that matter most: mean and standard deviation of each, shape (n,)."""
    top = np.argsort(-np.asarray(mean), kind="stable")[:MOST_BARS]
    chosen = [names[at] for at in top]
    title = f"{chosen[0]} matters most to the model" if chosen else "No features"
    drawn, axes = figure(title, height=1.4 + 0.26 * max(len(chosen), 4),
                         x="importance: what the model loses without it (line: ± 1 standard "
                           "deviation)")
    positions = np.arange(len(top))
    axes.barh(positions, mean[top], color=BLUE, height=0.7)
    axes.hlines(positions, (mean - spread)[top], (mean + spread)[top], color=AMBER, linewidth=2)
    axes.axvline(0, color=GREY, linewidth=1)
    label_rows(axes, chosen)
    return drawn


def slices(table: pd.DataFrame) -> Figure:
    """Average precision in parts of the test rows.

    Args:
        table: columns slice (the kind, such as `amount`), value (the part's name), rows, frauds,
            average_precision (NaN where a part has no fraud); parts of one kind stand together.
    """
    lines = len(table) + table["slice"].nunique()
    drawn, axes = figure(_weakest(table), height=1.5 + 0.27 * max(lines, 4),
                         x="average precision (AP)")
    names: list[str] = []
    heads: list[int] = []
    for kind, parts in table.groupby("slice", sort=False):
        heads.append(len(names))
        names.append(str(kind))
        for part in parts.itertuples():
            _part(axes, len(names), part)
            names.append(str(part.value))
    axes.set_xlim(0, 1.02)
    label_rows(axes, names)
    for head in heads:
        axes.get_yticklabels()[head].set_fontweight("bold")
    return drawn


def _weakest(table: pd.DataFrame) -> str:
    known = table.dropna(subset=["average_precision"])
    if known.empty:
        return "Average precision by part of the data"
    worst = known.iloc[int(known["average_precision"].to_numpy(float).argmin())]
    return (f"Weakest where {worst['slice']} is {worst['value']}: average precision "
            f"{worst['average_precision']:.2f}")


def _part(axes: Axes, position: int, part: Any) -> None:
    if np.isfinite(part.average_precision):
        axes.hlines(position, 0, part.average_precision, color=BLUE, linewidth=1.5, alpha=0.35)
        axes.plot(part.average_precision, position, "o", color=BLUE, markersize=7)
    axes.text(1.03, position, f"{part.rows:,} rows, {part.frauds:,} frauds", va="center",
              fontsize=9, color=GREY, clip_on=False)
