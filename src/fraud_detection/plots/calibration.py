"""How reliable a model's scores are: the share of fraud over the mean score."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from fraud_detection.model.metrics import halves
from fraud_detection.plots.ranking import Numbers
from fraud_detection.plots.style import BLUE, GREY, ORANGE, interval, legend, panels, whole

__all__ = ["calibration"]

FLOOR = 1e-5  # where a share of 0 is drawn on a logarithmic axis


def calibration(label: Numbers, score: Numbers, before: Numbers | None = None) -> Figure:
    """Fraud share over mean score in the bins of `halves`, and the rows in each.

    Args:
        label: 1 for fraud, one element per transaction.
        score: the calibrated scores.
        before: the same rows' scores without calibration, to show what it changed.
    """
    mean, rows, frauds = _halves(label, score)
    title = (f"The mean score is {np.mean(score):.2%}, the share of fraud {np.mean(label):.2%}"
             if len(rows) else "No transactions")
    drawn, (above, below) = panels(title, rows=2, height=5.8, share_x=True, height_ratios=[2, 1])
    at, (low, high) = np.maximum(mean, FLOOR), interval(frauds, rows)
    ends = [float(at.min(initial=0.1)) / 2, 1.0]
    above.plot(ends, ends, color=GREY, linewidth=1, linestyle="--", label="score = share of fraud")
    above.vlines(at, np.maximum(low, FLOOR), high, color=BLUE, linewidth=2, alpha=0.35)
    some = frauds > 0
    above.plot(at[some], (frauds / rows)[some], "o", color=BLUE, label="share, 95% interval")
    if before is not None:
        _add_before(above, label, before)
    below.vlines(at, 0.8, rows, color=GREY, linewidth=5, label="rows")
    below.vlines(at[some], 0.8, frauds[some], color=ORANGE, linewidth=5, label="frauds")
    above.set(ylabel="share that is fraud", ylim=(ends[0] / 2, 1.5))
    below.set(xlabel="mean score of the bin", ylabel="rows of the bin",
              ylim=(0.8, max(10.0, 2 * rows.max(initial=0))))
    _logarithmic(above, below)
    legend(above, "upper left")
    legend(below, "upper right", columns=2)
    return drawn


def _add_before(axes: Axes, label: Numbers, before: Numbers) -> None:
    mean, rows, frauds = _halves(label, before)
    some = frauds > 0
    axes.plot(np.maximum(mean, FLOOR)[some], (frauds / np.maximum(rows, 1))[some], "x",
              color=GREY, label="before calibration")


def _logarithmic(above: Axes, below: Axes) -> None:
    above.set(xscale="log", yscale="log")
    below.set_yscale("log")
    for axis in (above.xaxis, above.yaxis, below.yaxis):
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(FuncFormatter(
            whole if axis is below.yaxis else lambda value, _: f"{100 * value:g}%"))


def _halves(label: Numbers, score: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Mean score, rows and frauds of each bin."""
    which = halves(score)
    rows = np.bincount(which)
    some = rows > 0
    sums = [np.bincount(which, np.asarray(values, float))[some] for values in (score, label)]
    return sums[0] / rows[some], rows[some], sums[1]
