"""The style of every picture: a title with the finding, quiet axes, colour-blind-safe colours."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

__all__ = ["AMBER", "BLUE", "GREEN", "GREY", "INK", "ORANGE", "days_below", "figure", "interval",
           "label_rows", "legend", "note", "panels", "percent", "percentages", "shares",
           "shares_by_name", "thousands", "whole"]

# Okabe and Ito's palette: told apart with every common kind of colour blindness.
BLUE, ORANGE, AMBER, GREEN = "#0072B2", "#D55E00", "#E69F00", "#009E73"
GREY, INK, LINES = "#8A8F98", "#22262B", "#E3E6EA"
WIDTH, DOTS = 9.0, 150  # inches, and dots an inch: sharp when shown 900 pixels wide
TITLE, TEXT = 13.0, 10.0
FEW = 16  # classes on an axis, each with room for its number


def figure(title: str, *, height: float = 4.0, x: str = "", y: str = "") -> tuple[Figure, Axes]:
    """One panel under a title; `height` in inches, `x` and `y` are the axes' names with units."""
    drawn, (axes,) = panels(title, height=height)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return drawn, axes


def panels(title: str, *, rows: int = 1, columns: int = 1, height: float = 4.0,
           share_x: bool = False, **grid: Any) -> tuple[Figure, list[Axes]]:
    """Rows times columns panels under one title, row by row; `grid` goes to GridSpec."""
    drawn = Figure(figsize=(WIDTH, height), dpi=DOTS, facecolor="white",
                   layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    made = drawn.subplots(rows, columns, squeeze=False, sharex="col" if share_x else False,
                          gridspec_kw=grid)
    for axes in made.flat:
        _quiet(axes)
    drawn.suptitle(textwrap.fill(title, 78), x=0.01, ha="left", fontsize=TITLE, color=INK,
                   fontweight="bold", parse_math=False)
    return drawn, list(made.flat)


def _quiet(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.tick_params(length=0, labelsize=TEXT, labelcolor=INK, which="both")
    axes.tick_params("x", length=3, color=GREY, which="major")
    axes.grid(axis="y", color=LINES, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.title.set_fontsize(TEXT + 1)
    for name in (axes.xaxis.label, axes.yaxis.label):
        name.set(fontsize=TEXT, color=INK)


def percent(share: float) -> str:
    """The share (0 to 1) as a percentage with two digits, `0.84%`; `unknown` if there is none."""
    if not np.isfinite(share):
        return "unknown"
    digits = 0 if share in (0, 1) or share >= 0.1 else 1 if share >= 0.0095 else 2
    return f"{share:.{digits}%}"


def percentages(axes: Axes) -> None:
    """Label the y axis in percent, from 0 up."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g}%"))
    axes.yaxis.set_major_locator(MaxNLocator(5, min_n_ticks=3))
    _from_zero(axes)


def thousands(axes: Axes) -> None:
    """Label the y axis in whole numbers with thousands separators, from 0 up."""
    axes.yaxis.set_major_formatter(FuncFormatter(whole))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    _from_zero(axes)


def _from_zero(axes: Axes) -> None:
    highest = float(axes.dataLim.ymax)
    axes.set_ylim(0, 1.1 * highest if 0 < highest < np.inf else 1)


def whole(number: float, _: object = None) -> str:
    """The number, rounded, with thousands separators: `12,345`."""
    return f"{number:,.0f}"


def days_below(axes: Axes) -> None:
    """Label the x axis with days, so that each tick can be read by itself."""
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def interval(hits: ArrayLike, of: ArrayLike,
             z: float = 1.96) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's interval (95 % for this `z`) of the shares `hits` / `of`; 0 to 1 where `of` is 0."""
    found, size = np.asarray(hits, float), np.asarray(of, float)
    middle = (found + z * z / 2) / (size + z * z)
    reach = z * np.sqrt(found * (1 - found / np.maximum(size, 1)) + z * z / 4) / (size + z * z)
    return np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)


def shares(axes: Axes, x: ArrayLike, hits: ArrayLike, of: ArrayLike, colour: str = ORANGE) -> None:
    """Dots at `hits` / `of`, each with its 95 % interval and, if few, value; none for `of` 0."""
    positions, found, size = np.asarray(x), np.asarray(hits, float), np.asarray(of, float)
    some = size > 0
    if not some.any():
        note(axes, "no label is known")
        return
    low, high = interval(found[some], size[some])
    axes.vlines(positions[some], low, high, color=colour, linewidth=2, alpha=0.35)
    axes.plot(positions[some], found[some] / size[some], "o", color=colour, markersize=5,
              clip_on=False)
    if len(positions) <= FEW:
        for position, share in zip(positions[some], found[some] / size[some], strict=True):
            axes.annotate(percent(share), (position, share), (7, 3), textcoords="offset points",
                          fontsize=TEXT - 1, color=INK)


def shares_by_name(title: str, names: Sequence[str], rows: ArrayLike, hits: ArrayLike,
                   of: ArrayLike, *, x: str) -> Figure:
    """Two panels over the same named classes: bars of `rows`, and below the share `hits` / `of`."""
    drawn, (above, below) = panels(title, rows=2, height=5.2, share_x=True)
    positions = np.arange(len(names))
    bars = above.bar(positions, np.asarray(rows, float), color=BLUE, width=0.8)
    if len(names) <= FEW:
        above.bar_label(bars, fmt=whole, padding=2, fontsize=TEXT - 1, color=INK)
    shares(below, positions, hits, of)
    below.set_xticks(positions, list(names))
    above.set_ylabel("transactions")
    below.set(xlabel=x, ylabel="share that is fraud")
    thousands(above)
    percentages(below)
    return drawn


def label_rows(axes: Axes, names: Sequence[str], longest: int = 48, wrapped: int = 48) -> None:
    """Label the rows 0, 1, ... from the top down; the names are shown as plain text."""
    shown = [textwrap.fill(name if len(name) <= longest else name[:longest] + " …", wrapped)
             for name in names]
    axes.set_yticks(np.arange(len(shown)), shown, parse_math=False)
    axes.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x", color=LINES, linewidth=0.8)


def legend(axes: Axes, location: Any = "best", columns: int = 1) -> None:
    """Name the curves without a frame; `location` is Matplotlib's `loc`."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc=location, ncols=columns, fontsize=TEXT - 0.5, frameon=False, labelcolor=INK)


def note(axes: Axes, text: str) -> None:
    """Explain in the middle of a panel why nothing is drawn."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY,
              fontsize=TEXT, parse_math=False)
