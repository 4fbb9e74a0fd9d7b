"""How early and how surely terminal-watch finds compromised terminals, against two simple lists.

The baselines list a terminal by the count of its recent known frauds, or by their share of its
recent known transactions. Each gets the threshold, found in hindsight, at which it raises as many
new alerts as the project's own lists; ties of the one are broken by the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from branchline.lakehouse import Lakehouse
from fraud_detection.settings import Settings as FraudSettings
from fraud_detection.tables import TRANSACTIONS
from terminal_watch.counts import Counts, Floats, aggregated, grids
from terminal_watch.outcomes import KPIS, Days, measured_days, outcomes
from terminal_watch.settings import Settings
from terminal_watch.statistic import expected_rates, recent, scores

WINDOWS = (14, 21, 28)
CUTS, DRAWS = 1000, 2000
SHOWN = ("alerts_a_day", "precision", "found_share", "days_to_find", "money_share")
Sums = Mapping[str, Floats]


def cusum(counts: Counts, settings: Settings) -> Floats:
    """The project's own score; 0 where it lists nothing for want of a recent fraud."""
    score = scores(counts, expected_rates(counts, settings), settings)
    return score * (recent(counts.known_frauds, settings.recent_days) > 0)


def baseline(counts: Counts, kind: str, days: int) -> Floats:
    """Count, or share, of the known frauds of the last days; the other one breaks ties."""
    frauds, rows = recent(counts.known_frauds, days), recent(counts.known_rows, days)
    share = frauds / np.maximum(rows, 1)
    return frauds + share / 2 if kind == "count" else share + frauds / 1e6


def at_as_many_alerts(score: Floats, counts: Counts, settings: Settings, days: Days,
                      alerts: float) -> pd.DataFrame:
    """The outcomes at the lowest of CUTS thresholds that raises at most so many new alerts."""
    values = np.unique(score[score > 0])
    for cut in values[np.linspace(0, len(values) - 1, min(CUTS, len(values))).astype(int)]:
        listed = score >= cut
        before = np.pad(listed, ((0, 0), (1, 0)))[:, :-1]
        if (listed & ~before)[:, days.first:days.last + 1].sum() <= alerts:
            break
    return outcomes(counts, listed, settings, days)


def by_terminal(rows: pd.DataFrame, counts: Counts) -> pd.DataFrame:
    return (rows.drop(columns="day").groupby("terminal").sum()
            .reindex(range(len(counts.terminals)), fill_value=0.0))


def drawn(sums: pd.DataFrame, weights: Floats, days: int) -> dict[str, Floats]:
    """Each KPI under each of the weightings (draws x terminals) of the terminals."""
    weighted: Sums = {name: weights @ sums[name].to_numpy() for name in sums}
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: KPIS[name]({**weighted, "days": float(days)}) for name in SHOWN}


def run(lakehouse: Lakehouse, settings: FraudSettings) -> None:
    delay = settings.label_delay_days
    counts, own = grids(aggregated(lakehouse.read(TRANSACTIONS), delay), delay), Settings()
    days = measured_days(counts, own)
    source = np.random.default_rng(0)
    weights = source.standard_exponential((DRAWS, len(counts.terminals)))
    weights /= weights.mean(axis=1, keepdims=True)
    for threshold in (6.0, 8.0, 10.0):
        chosen = replace(own, threshold=threshold)
        ours = outcomes(counts, cusum(counts, chosen) >= threshold, chosen, days)
        table = Table(f"threshold {threshold:g}", *SHOWN, box=None)
        reference = _row(table, "terminal-watch", ours, counts, weights, days)
        for kind in ("count", "share"):
            for window in WINDOWS:
                rows = at_as_many_alerts(baseline(counts, kind, window), counts, chosen, days,
                                         ours["new"].sum())
                found = _row(table, f"{kind}, {window} days", rows, counts, weights, days)
                _difference(table, reference, found)
        Console(width=130, highlight=False).print(table)
    print(f"{len(counts.terminals):,} terminals with a fraud, "
          f"{int(ours['compromised'].sum())} compromised, {days.count} days")


def _row(table: Table, name: str, rows: pd.DataFrame, counts: Counts, weights: Floats,
         days: Days) -> dict[str, Floats]:
    sums = by_terminal(rows, counts)
    once = drawn(sums, np.ones((1, len(sums))), days.count)
    found = drawn(sums, weights, days.count)
    table.add_row(name, *(f"{once[each][0]:.3f} ± {found[each].std():.3f}" for each in SHOWN))
    return found


def _difference(table: Table, ours: Mapping[str, Floats], theirs: Mapping[str, Floats]) -> None:
    """Ours less theirs under the same weights: the middle 95 % of the draws."""
    table.add_row("  ours less that", *(
        " to ".join(f"{value:+.3f}" for value in np.quantile(ours[each] - theirs[each],
                                                             (0.025, 0.975)))
        for each in SHOWN))
