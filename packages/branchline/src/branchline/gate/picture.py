"""The verdict's picture: the differences, what is tolerated, the floors."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from branchline.gate.verdict import Interval, Outcome, Reason, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["picture"]

# Okabe and Ito's palette: told apart with every common kind of colour blindness.
COLOURS: dict[Outcome, str] = {"pass": "#009E73", "fail": "#D55E00", "undecided": "#E69F00"}
GREY, INK, WORSE = "#8A8F98", "#22262B", "#F9E3D8"
WIDTH, PANEL, AROUND, DOTS = 9.0, 0.75, 1.3, 150  # inches; dots an inch


def picture(verdict: Verdict) -> Figure | None:
    """One panel per difference, in its own unit; None if nothing was compared."""
    from matplotlib.figure import Figure
    compared = [(each, each.interval) for each in verdict.reasons if each.interval]
    if not compared:
        return None
    drawn = Figure(figsize=(WIDTH, AROUND + PANEL * len(compared)), dpi=DOTS, facecolor="white",
                   layout="constrained")
    panels = drawn.subplots(len(compared), 1, squeeze=False)[:, 0]
    for axes, (reason, interval) in zip(panels, compared, strict=True):
        _panel(axes, reason, interval)
    panels[-1].set_xlabel("candidate minus champion; shaded: worse than tolerated; dashed: the "
                          "floor, where it is near", color=INK)
    drawn.suptitle(f"Gate: {'passed' if verdict.passed else 'refused'}; {_summary(compared)}",
                   x=0.01, ha="left", color=INK, fontweight="bold")
    return drawn


def _summary(compared: list[tuple[Reason, Interval]]) -> str:
    worse, unknown = (sum(reason.outcome == outcome for reason, _ in compared)
                      for outcome in ("fail", "undecided"))
    text = f"clearly worse than the champion in {worse} of {len(compared)} comparisons"
    return text + (f", undecided in {unknown}" if unknown else "")


def _panel(axes: Axes, reason: Reason, interval: Interval) -> None:
    low, high = _limits(interval)
    axes.axvspan(interval.worst, low if interval.higher_is_better else high, color=WORSE,
                 linewidth=0)
    axes.axvline(0, color=GREY, linewidth=0.8)
    if interval.floor is not None and low <= interval.floor <= high:
        axes.axvline(interval.floor, color=INK, linewidth=1, linestyle="--")
    colour = COLOURS[reason.outcome]
    axes.hlines(0, interval.low, interval.high, color=colour, linewidth=3)
    axes.plot([interval.difference], [0], "o", color=colour, markersize=7)
    axes.set(xlim=(low, high), ylim=(-1, 1))
    axes.set_yticks([0], [textwrap.fill(reason.name, 26)], parse_math=False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.4g}")
    axes.tick_params(length=0, labelsize=8.5, labelcolor=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _limits(interval: Interval) -> tuple[float, float]:
    ends = (interval.low, interval.high, interval.worst, 0.0)
    room = 0.15 * (max(ends) - min(ends)) or 1.0
    return min(ends) - room, max(ends) + room
