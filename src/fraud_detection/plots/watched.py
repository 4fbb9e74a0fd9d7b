"""The pages' parts on what was scored: what changed, how far columns moved, how good scores are."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fraud_detection.plots.section import Section
from fraud_detection.plots.style import (BLUE, ORANGE, days_below, figure, legend, note,
                                         panels, percentages, thousands, whole)

__all__ = ["DAYS", "changes", "facts", "sections"]

DAYS = 60  # shown
MOST_LINES, MOST_CHANGES = 5, 20
ROOM = 1.5  # for the names above the curves


def facts(table: pd.DataFrame) -> dict[str, str]:
    """The key numbers; `table` has the columns of gold.monitoring_measures, without slices."""
    rows = _of(table, "rows")
    return {"rows scored": whole(rows["value"].sum()),
            "windows": whole(rows["window_start"].nunique()),
            "model versions": whole(table["model_version"].nunique()),
            "measures that changed": whole((table["verdict"] == "changed").sum())}


def changes(table: pd.DataFrame) -> str:
    """An HTML table of the newest changes."""
    found = table[table["verdict"] == "changed"].sort_values(
        ["window_start", "subject", "name"], ascending=[False, True, True])
    if found.empty:
        return "<p>No measure of any window changed.</p>"
    cells = [(f"{each.window_start:%Y-%m-%d %H:%M}", each.subject, each.name,
              f"{each.value:.4g}", f"{each.rows:,}", each.model_version)
             for each in found.head(MOST_CHANGES).itertuples()]
    lines = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in line)
                    + "</tr>" for line in cells)
    more = len(found) - len(cells)
    rest = f"<p>{more:,} more are in gold.monitoring_measures.</p>" if more > 0 else ""
    return ("<table><tr><th>Window (UTC)</th><th>Subject</th><th>Measure</th><th>Value</th>"
            f"<th>Rows</th><th>Model</th></tr>{lines}</table>{rest}")


def sections(table: pd.DataFrame) -> list[Section]:
    return [
        Section("drift", "How far columns moved", "Population stability index of each window "
                "against the model's training; the columns that moved farthest.", _drift(table)),
        Section("volume", "What was scored", "Rows of each window, and the shares of alerts and of "
                "outliers.", _volume(table)),
        Section("performance", "How good the scores are", "Precision of the alerts, and how "
                "scores rank: what calibrated scores promise at once, and what labels say later. "
                "Lines: 95 %.",
                _performance(table))]


def _of(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[(table["name"] == name) & table["value"].notna()].sort_values("window_start")


def _line(axes: Axes, found: pd.DataFrame, **style: str) -> None:
    axes.plot(found["window_start"], found["value"], "-o", markersize=3,
              **style)  # type: ignore[arg-type]


def _drift(table: pd.DataFrame) -> Figure:
    found = _of(table, "psi")
    farthest = found.groupby("subject")["value"].max().nlargest(MOST_LINES)
    title = (f"{farthest.index[0]} moved farthest: {farthest.iloc[0]:.2f}" if len(farthest)
             else "No column could be compared")
    drawn, axes = figure(title, y="population stability index", x="window (UTC)")
    for name in farthest.index:
        _line(axes, found[found["subject"] == name], label=name)
    if len(farthest):
        axes.set_ylim(0, ROOM * farthest.iloc[0])
        days_below(axes)
        legend(axes, "upper left", columns=2)
    else:
        note(axes, "no model version has a drift reference")
    return drawn


def _volume(table: pd.DataFrame) -> Figure:
    rows = _of(table, "rows")
    drawn, (above, below) = panels(f"{whole(rows['value'].sum())} rows scored", rows=2, height=5.2,
                                   share_x=True)
    _line(above, rows, color=BLUE)
    for name, colour in (("alert_share", ORANGE), ("outlier_share", BLUE)):
        _line(below, _of(table, name), color=colour, label=name.replace("_", " "))
    above.set_ylabel("rows")
    below.set(ylabel="share of rows", xlabel="window (UTC)")
    thousands(above)
    percentages(below)
    days_below(below)
    legend(below, "upper left", columns=2)
    return drawn


def _performance(table: pd.DataFrame) -> Figure:
    drawn, (above, below) = panels(_performance_title(table), rows=2, height=6.0, share_x=True)
    for axes, name, few in ((above, "precision", "no window has five alerts"),
                            (below, "auc", "no window has five frauds")):
        _with_interval(axes, _of(table, f"estimated_{name}"), BLUE, "estimated")
        _with_interval(axes, _of(table, f"realised_{name}"), ORANGE, "realised")
        if axes.get_legend_handles_labels()[0]:
            days_below(axes)
            legend(axes, "lower left", columns=2)
        else:
            note(axes, few)
    if above.has_data():
        percentages(above)
        above.set_ylim(0, 1)
    above.set_ylabel("precision of alerts")
    below.set(ylabel="area under the ROC curve", xlabel="window (UTC)")
    return drawn


def _performance_title(table: pd.DataFrame) -> str:
    known = _of(table, "realised_precision")
    promised = _of(table, "estimated_precision")
    both = known.merge(promised, on=["window_start", "model_version"], suffixes=("", "_estimated"))
    if both.empty:
        return "Precision of alerts, estimated: labels are not known yet"
    gap = float(np.average(both["value_estimated"] - both["value"], weights=both["rows"]))
    return f"Estimated precision is {abs(gap):.0%} {'above' if gap > 0 else 'below'} the realised"


def _with_interval(axes: Axes, found: pd.DataFrame, colour: str, name: str) -> None:
    if len(found):
        axes.vlines(found["window_start"], found["low"], found["high"], color=colour, alpha=0.35,
                    linewidth=2)
        axes.plot(found["window_start"], found["value"], "o", color=colour, markersize=4,
                  label=name)
