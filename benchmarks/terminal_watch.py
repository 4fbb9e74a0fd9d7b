"""How early and how surely terminal-watch finds compromised terminals, against two simple lists.

The baselines list a terminal by the count of its recent known frauds, or by their share of its
recent known transactions. Each gets the threshold, found in hindsight, at which it raises as many
new alerts as the project's own lists; ties of the one are broken by the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from branchline.lakehouse import Lakehouse
from fraud_detection.settings import Settings as FraudSettings
from fraud_detection.tables import TRANSACTIONS
from terminal_watch.counts import Counts, Floats, aggregated, grids
from terminal_watch.outcomes import KPIS, Days, episodes, measured_days, outcomes
from terminal_watch.settings import Settings
from terminal_watch.statistic import expected_rates, recent, scores

WINDOWS = (14, 21, 28)
THRESHOLDS = (6.0, 8.0, 10.0)
MIXED = 0.4
CUTS, DRAWS = 1000, 2000
SHOWN = ("alerts_a_day", "precision", "found_share", "days_to_find", "money_share")
Sums = Mapping[str, Floats]


def cusum(counts: Counts, settings: Settings) -> Floats:
    """The project's own score; 0 if it lists nothing because no fraud is recent."""
    score = scores(counts, expected_rates(counts, settings), settings)
    return score * (recent(counts.known_frauds, settings.recent_days) > 0)


def baseline(counts: Counts, kind: str, days: int) -> Floats:
    """Count, or share, of the known frauds of the last days; the other one breaks ties."""
    frauds, rows = recent(counts.known_frauds, days), recent(counts.known_rows, days)
    share = frauds / np.maximum(rows, 1)
    return frauds + share / 2 if kind == "count" else share + frauds / 1e6


def at_as_many_alerts(score: Floats, counts: Counts, settings: Settings, days: Days,
                      alerts: float) -> pd.DataFrame:
    """The outcomes at the lowest of CUTS thresholds that raises at most `alerts` new alerts."""
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
        return {name: KPIS[name].of({**weighted, "days": float(days)}) for name in SHOWN}


def thinned(table: pa.Table, counts: Counts, settings: Settings, share: float) -> pa.Table:
    """The rows of `aggregated` with only that share of a compromised terminal's frauds.

    The others count as genuine: published terminals are all fraud while they are compromised.
    """
    inside = pd.Series(0, index=pd.MultiIndex.from_tuples(
        ((counts.terminals[each.terminal], day) for each in episodes(counts, settings).itertuples()
         for day in range(each.start, each.end + 1)), names=["terminal_id", "day"]))
    first = (counts.first - date(1970, 1, 1)).days
    rows = table.to_pandas()
    where = pd.MultiIndex.from_arrays([rows["terminal_id"], rows["day"] - first]).isin(inside.index)
    kept = np.random.default_rng(0).binomial(rows["frauds"][where], share)
    rows["lost"] = rows["lost"].where(~where, 0.0)
    rows.loc[where, "lost"] = table["lost"].to_numpy()[where] * kept / np.maximum(
        rows["frauds"][where], 1)
    rows.loc[where, "frauds"] = kept
    return pa.Table.from_pandas(rows, preserve_index=False)


def run(lakehouse: Lakehouse, settings: FraudSettings) -> None:
    delay, own = settings.label_delay_days, Settings()
    table = aggregated(lakehouse.read(TRANSACTIONS), delay)
    counts = grids(table, delay)
    for threshold in THRESHOLDS:
        compare("as it is", counts, replace(own, threshold=threshold))
    mixed = grids(thinned(table, counts, own, MIXED), delay)
    for threshold in THRESHOLDS:
        compare(f"{MIXED:.0%} of it fraud", mixed, replace(
            own, threshold=threshold, compromised_rate=0.3, run_frauds=3))


def compare(name: str, counts: Counts, settings: Settings) -> None:
    """Print the KPIs of the project's lists, and of the baselines with as many new alerts."""
    days = measured_days(counts, settings)
    weights = np.random.default_rng(0).standard_exponential((DRAWS, len(counts.terminals)))
    weights /= weights.mean(axis=1, keepdims=True)
    ours = outcomes(counts, cusum(counts, settings) >= settings.threshold, settings, days)
    table = Table(f"{name}, threshold {settings.threshold:g}", *SHOWN, box=None)
    reference = _row(table, "terminal-watch", ours, counts, weights, days)
    for kind in ("count", "share"):
        for window in WINDOWS:
            rows = at_as_many_alerts(baseline(counts, kind, window), counts, settings, days,
                                     ours["new"].sum())
            found = _row(table, f"{kind}, {window} days", rows, counts, weights, days)
            _difference(table, reference, found)
    Console(width=140, highlight=False).print(table)
    print(f"{len(counts.terminals):,} terminals with a fraud, "
          f"{int(ours['compromised'].sum())} compromised, {days.count} days\n", flush=True)


def _row(table: Table, name: str, rows: pd.DataFrame, counts: Counts, weights: Floats,
         days: Days) -> dict[str, Floats]:
    sums = by_terminal(rows, counts)
    once = drawn(sums, np.ones((1, len(sums))), days.count)
    found = drawn(sums, weights, days.count)
    table.add_row(name, *(f"{once[each][0]:.3f} ± {found[each].std():.3f}" for each in SHOWN))
    return found


def _difference(table: Table, ours: Mapping[str, Floats], theirs: Mapping[str, Floats]) -> None:
    """Ours minus theirs under the same weights: the middle 95% of the draws."""
    table.add_row("  ours less that", *(
        " to ".join(f"{value:+.3f}" for value in np.quantile(ours[each] - theirs[each],
                                                             (0.025, 0.975)))
        for each in SHOWN))
