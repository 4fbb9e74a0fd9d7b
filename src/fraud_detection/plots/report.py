"""The report of the data: six pictures, a few words above each, one page that needs no network."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike

from fraud_detection.plots.style import (AMBER, BLUE, GREY, ORANGE, days_below, figure, interval,
                                         label_rows, legend, note, panels, percent, percentages,
                                         shares_by_name, thousands, whole)
from fraud_detection.tables import TRANSACTION_COLUMNS

__all__ = ["Section", "amounts", "days", "facts", "hours", "labels", "missing", "terminals",
           "write"]

OLDEST = 60  # days that the picture of labels goes back
MOST_REASONS = 8
FRAUD_BANDS = {1: "1", 2: "2–4", 5: "5–9", 10: "10–19", 20: "20–49", 50: "50 +"}

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The data</title>
<meta name="viewport" content="width=device-width">
<style>
  body {{ max-width: 900px; margin: 2.5rem auto; padding: 0 1rem; color: #22262b;
         background: #fff; font: 16px/1.5 system-ui, sans-serif; }}
  h1 {{ margin: 0 0 1rem; }}  h2 {{ margin: 2.5rem 0 .25rem; }}  p {{ margin: 0 0 .75rem; }}
  dl {{ display: grid; grid-template-columns: repeat(4, 1fr); gap: 1px; background: #e3e6ea;
       border: 1px solid #e3e6ea; }}
  dl div {{ background: #fff; padding: .6rem .9rem; display: flex; flex-direction: column; }}
  dd {{ margin: 0; font-size: 1.5rem; font-weight: 600; }}
  dt {{ color: #5b6470; font-size: .85rem; }}
  img {{ width: 100%; border: 1px solid #e3e6ea; box-sizing: border-box; }}
</style></head><body>
<h1>The data</h1>
<dl>{numbers}</dl>
{sections}
</body></html>
"""


@dataclass(frozen=True)
class Section:
    """A picture, the file name it gets, and the words above it in the report."""

    name: str
    heading: str
    words: str
    figure: Figure


def days(table: pd.DataFrame) -> Section:
    """Volume and fraud share over `explore.by_day`'s table."""
    day, share = table["day"].to_numpy(), _share(table)
    title = (f"{whole(table['transactions'].median())} transactions on a median day, "
             f"{percent(_overall(table))} of them fraud" if len(table) else "No transactions")
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


def _overall(table: pd.DataFrame) -> float:
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
    if low.max() <= _overall(table):
        return f"No {kind} stands out by its fraud share ({percent(_overall(table))} in all)"
    most = int(low.argmax())
    return (f"Fraud is most frequent at {names[most]}: {percent(share.iloc[most])}, "
            f"against {percent(_overall(table))} in all")


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
    """Steps of one width that is a whole number."""
    first, last = int(values.min()), int(values.max())
    step = max(1, -(-(last - first + 1) // 30))
    return [edge - 0.5 for edge in range(first, last + 2 * step, step)]


def _hold_half(each: ArrayLike, frauds: ArrayLike) -> float:
    """The fewest terminals that have half of the frauds: `each` terminals have `frauds` each."""
    numbers, hits = np.asarray(each, float), np.asarray(frauds, float)
    order = np.argsort(-hits)
    reached = np.cumsum((numbers * hits)[order])
    if not len(reached) or not reached[-1]:
        return 0
    last = int(np.searchsorted(reached, reached[-1] / 2))
    over = (reached[last] - reached[-1] / 2) // hits[order][last]
    return float(numbers[order][:last + 1].sum() - over)


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


def facts(days: pd.DataFrame, terminals: pd.DataFrame, totals: Mapping[str, float], files: int,
          quarantine: int, duplicates: int) -> dict[str, str]:
    """The key numbers, each with its name, in the order that the report shows them."""
    frauds = days["frauds"].sum()
    first = f" from {days['day'].iloc[0]:%Y-%m-%d}" if len(days) else ""
    return {"transactions": whole(days["transactions"].sum()),
            f"days{first}": whole(len(days)),
            "customers": whole(totals["customers"]),
            "terminals": whole(terminals["terminals"].sum()),
            f"fraud: {whole(frauds)} of the labelled": percent(_overall(days)),
            "median amount": f"{totals['median']:,.2f}",
            f"rejected rows, from {whole(files)} files": whole(quarantine),
            "duplicates": whole(duplicates)}


def write(facts: Mapping[str, str], sections: Sequence[Section], folder: Path) -> None:
    """Write `<name>.png` for each section, and `report.html`, which holds all of them itself."""
    parts = []
    for section in sections:
        path = folder / f"{section.name}.png"
        section.figure.savefig(path)
        picture = base64.b64encode(path.read_bytes()).decode()
        parts.append(f'<section><h2>{html.escape(section.heading)}</h2>'
                     f'<p>{html.escape(section.words)}</p>'
                     f'<img alt="{html.escape(section.heading)}" '
                     f'src="data:image/png;base64,{picture}"></section>')
    numbers = "".join(f"<div><dd>{html.escape(value)}</dd><dt>{html.escape(name)}</dt></div>"
                      for name, value in facts.items())
    (folder / "report.html").write_text(
        PAGE.format(numbers=numbers, sections="\n".join(parts)), encoding="utf-8")
