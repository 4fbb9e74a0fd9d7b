"""How well a model ranks, and what each threshold saves."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from fraud_detection.plots.style import BLUE, GREEN, GREY, ORANGE, legend, note, panels

__all__ = ["roc_and_precision_recall", "threshold_picture"]

Numbers = NDArray[Any]
CHOSEN: dict[str, Any] = {"color": ORANGE, "zorder": 5}


def _cuts(label: Numbers, score: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Each distinct score from the highest down, with the rows and frauds that reach it."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    last = np.flatnonzero(np.diff(ordered, append=-np.inf))
    return ordered[last], last + 1.0, np.cumsum(label[order], dtype=float)[last]


def roc_and_precision_recall(label: Numbers, score: Numbers, threshold: float) -> Figure:
    """ROC and precision over recall, with the chosen threshold.

    Args:
        label: 1 fraud, 0 genuine, shape (n,).
        score: the model's score, shape (n,); a score at or above `threshold` is an alert.
    """
    _, alerts, hits = _cuts(label, score)
    frauds, genuine = float(np.sum(label)), float(np.sum(1 - label))
    drawn, left, right = _squares()
    if not frauds or not genuine:
        note(left, "needs fraud and genuine rows")
        note(right, "needs fraud and genuine rows")
        return drawn
    at = int(np.sum(score >= threshold))
    found = float(np.sum(label[score >= threshold]))
    _roc(left, np.r_[0, (alerts - hits) / genuine], np.r_[0, hits / frauds])
    left.plot((at - found) / genuine, found / frauds, "o", label=f"threshold {threshold:.3g}",
              **CHOSEN)
    _precision_recall(right, hits / frauds, hits / alerts, frauds / (frauds + genuine))
    if at:
        right.plot(found / frauds, found / at, "o", label=f"threshold {threshold:.3g}", **CHOSEN)
    legend(left, "lower right")
    legend(right, "upper right")
    return drawn


def _squares() -> tuple[Figure, Axes, Axes]:
    drawn, (left, right) = panels("How well the score tells fraud from genuine transactions",
                                  columns=2, height=4.6)
    recall, precision = "share of frauds found (recall)", "share of alerts that are fraud"
    left.set(xlabel="share of genuine rows that alert", ylabel=recall)
    right.set(xlabel=recall, ylabel=f"{precision} (precision)")
    for axes in (left, right):
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    return drawn, left, right


def _roc(axes: Axes, false_alarms: Numbers, recall: Numbers) -> None:
    area = np.trapezoid(recall, false_alarms)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="chance")
    axes.plot(false_alarms, recall, color=BLUE, linewidth=2)
    axes.set_title(f"ROC: AUC {area:.3f}", loc="left")


def _precision_recall(axes: Axes, recall: Numbers, precision: Numbers, chance: float) -> None:
    average = np.sum(np.diff(recall, prepend=0) * precision)
    axes.axhline(chance, color=GREY, linewidth=1, linestyle="--", label="chance")
    axes.step(np.r_[0, recall], np.r_[precision[0], precision], where="pre", color=BLUE,
              linewidth=2)
    axes.set_title(f"Precision and recall: AP {average:.3f}", loc="left")


def threshold_picture(label: Numbers, score: Numbers, amount: Numbers, threshold: float,
                      alert_cost: float) -> Figure:
    """What each possible threshold saves and finds, over its number of alerts.

    Args:
        label, score: as in `roc_and_precision_recall`.
        amount: shape (n,), what a fraud that is found saves, in the currency of `alert_cost`.
    """
    cut, alerts, hits = _cuts(label, score)
    _, _, money = _cuts(label * amount, score)
    saved = money - alert_cost * alerts
    at = int(np.sum(score >= threshold))
    kept = float(np.sum((label * amount)[score >= threshold])) - alert_cost * at
    title = (f"The threshold {threshold:.3g} saves {kept:,.0f} after the cost of {at:,} alerts"
             if len(cut) else "No transactions")
    drawn, (above, below) = panels(title, rows=2, height=5.8, share_x=True)
    above.set_ylabel(f"money saved, less {alert_cost:g} an alert")
    below.set(xlabel="alerts in 1,000 transactions", ylabel="share", ylim=(-0.02, 1.02))
    if not len(cut):
        note(above, "no rows")
        return drawn
    thousand = 1000 / len(score)
    _money(above, alerts * thousand, saved)
    below.plot(alerts * thousand, hits / alerts, color=BLUE, linewidth=2, label="precision")
    if hits[-1]:
        below.plot(alerts * thousand, hits / hits[-1], color=GREEN, linewidth=2, linestyle="--",
                   label="recall")
    _mark(above, below, at * thousand, threshold)
    _thresholds_above(above, alerts * thousand, cut)
    legend(below, "center left")
    return drawn


def _money(axes: Axes, alerts: Numbers, saved: Numbers) -> None:
    axes.plot(alerts, saved, color=BLUE, linewidth=2)
    axes.axhline(0, color=GREY, linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    # If nearly every row alerts, the loss is huge; it would flatten the part that matters.
    best = max(float(saved.max()), 1.0)
    axes.set_ylim(max(float(saved.min()), -best) * 1.08, best * 1.15)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _mark(above: Axes, below: Axes, alerts: float, threshold: float) -> None:
    if not alerts:
        note(below, f"the threshold {threshold:.3g} raises no alert")
        return
    for axes in (above, below):
        axes.axvline(alerts, color=ORANGE, linewidth=1.5, label=f"threshold {threshold:.3g}")


def _thresholds_above(axes: Axes, alerts: Numbers, cut: Numbers) -> None:
    """A second scale on top: the threshold for each number of alerts."""
    wanted = np.geomspace(alerts[0], alerts[-1], 7)
    near = np.unique(np.searchsorted(alerts, wanted * 0.999).clip(max=len(alerts) - 1))
    top = axes.secondary_xaxis("top")
    top.set_xticks(alerts[near], [_decimal(value) for value in cut[near]])
    top.tick_params(which="minor", length=0, labeltop=False)
    top.tick_params(which="major", length=3, labelsize=10)
    top.spines["top"].set_visible(False)
    top.set_xlabel("threshold")


def _decimal(number: float) -> str:
    return np.format_float_positional(number, precision=2, fractional=False, trim="-")
