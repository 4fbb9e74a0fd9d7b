"""What is missing in the data: labels that are not known yet, values, rejected rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from fraud_detection.tables import TRANSACTION_COLUMNS
from fraud_detection.plots.section import Section
from fraud_detection.plots.style import (AMBER, BLUE, GREY, ORANGE, figure, label_rows, note,
                                         panels, percent, percentages, whole)

__all__ = ["labels", "missing"]

OLDEST = 60  # days in the picture of labels
MOST_REASONS = 8


def labels(table: pd.DataFrame, delay: int) -> Section:
    """The rows with a usable label by age, over the table of days; `delay` in days."""
    recent = table.iloc[::-1].head(OLDEST).reset_index(drop=True)
    rows = recent["transactions"].where(recent["transactions"] > 0)
    with_label, age = (recent["labelled"] / rows).fillna(0), np.arange(len(recent))
    lost = (1 - recent["labelled"] / rows).fillna(0)
    unlabelled = table["transactions"].sum() - table["labelled"].sum()
    share = unlabelled / max(table["transactions"].sum(), 1)
    title = (f"{percent(share)} of the rows have no label; "
             f"those of the last {delay} days are not known yet")
    drawn, axes = figure(title, height=3.4, y="share of the day's transactions",
                         x="age: days before the last day of the data")
    for wanted, colour, name in ((age >= delay, BLUE, "label known"),
                                 (age < delay, AMBER, "label in the data, too young to be known")):
        axes.bar(age[wanted], with_label[wanted], color=colour, width=0.85, label=name)
    axes.bar(age, lost, bottom=with_label, color=GREY, width=0.85, label="no label in the data")
    axes.set_xlim(len(recent) - 0.4, -0.6)
    percentages(axes)
    axes.set_ylim(0, 1)
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=3,
                       frameon=False)
    return Section("labels", "Labels", _about_labels(table, delay, share), drawn)


def _about_labels(table: pd.DataFrame, delay: int, share: float) -> str:
    about = f"{percent(share)} of all rows have no label. "
    if table.empty or not delay:
        return about + "Every label counts as known at once."
    last = table["day"].iloc[-1]
    unknown = last - pd.Timedelta(days=delay - 1)
    return about + (f"A label is known {delay} days after its transaction: a model that is trained "
                    f"at the end of {last:%Y-%m-%d} knows none of the labels from "
                    f"{unknown:%Y-%m-%d} on, whatever the table holds.")


def missing(landed: Mapping[str, int], reasons: pd.DataFrame) -> Section:
    """Missing values by column (`explore.landed`), rejected rows by reason (`rejected`)."""
    rows, shown = landed["rows"], reasons.head(MOST_REASONS)
    absent = [landed[name] for name in TRANSACTION_COLUMNS]
    most = int(np.argmax(absent))
    title = (f"{TRANSACTION_COLUMNS[most]} is missing most often: in "
             f"{percent(absent[most] / rows)} of the rows" if any(absent) else
             "No value is missing in what landed")
    drawn, (left, right) = panels(title, columns=2, height=4.2)
    _counts_by_name(left, TRANSACTION_COLUMNS, absent, BLUE, "rows without a value")
    _counts_by_name(right, list(shown["reason"]), list(shown["rows"]), ORANGE, "rejected rows")
    if shown.empty:
        note(right, "no row was rejected")
    return Section("missing_values", "Missing values and rejected rows", f"On the left, the "
                   f"columns as they landed in {whole(rows)} readable rows; on the right, why "
                   f"rows went to silver.quarantine (reasons shown: {len(shown)} of "
                   f"{len(reasons)}; a row may have several).",
                   drawn)


def _counts_by_name(axes: Axes, names: Sequence[str], counts: Sequence[int], colour: str,
                    what: str) -> None:
    bars = axes.barh(np.arange(len(names)), counts, color=colour, height=0.7)
    axes.bar_label(bars, fmt=whole, padding=3)
    label_rows(axes, names, wrapped=31)
    axes.set_xlabel(what)
    axes.set_xlim(0, max(1.0, 1.15 * max(counts, default=0)))
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(whole))
