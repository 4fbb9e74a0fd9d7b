"""How often the gate of a pipeline without a model errs, on simulated pairs of versions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from branchline.config.gate_policy import MetricRule, Policy, Tolerance
from branchline.gate.comparison import Comparison, Measured, Model
from branchline.gate.decide import decide
from branchline.gate.outcomes import Outcomes
from branchline.gate.paired import paired
from branchline.gate.verdict import Outcome
from fraud_detection.data.world import World, simulate
from terminal_watch.counts import Counts, grids
from terminal_watch.outcomes import measured_days, outcomes
from terminal_watch.settings import Settings
from terminal_watch.statistic import expected_rates, recent, scores
from terminal_watch.steps.measure import for_gate

PAIRS, DRAWS = 200, 200
OVERLOOKED = 0.2  # share of the known frauds that either version overlooks
EFFECTS = (0.0, 0.1, 0.2, 0.3, 0.4)
WORLDS = (World(250, 500, 60), World(550, 1100, 95), World(1100, 2200, 95))
RULES = {"precision": "higher", "found_share": "higher", "money_share": "higher",
         "days_to_find": "lower", "alerts_a_day": "lower"}
STRICT = Policy(tuple(MetricRule(name, direction, tolerance=Tolerance(0))
                      for name, direction in RULES.items()), draws=DRAWS)
SETTINGS = Settings()
SECONDS = 86_400
OUTCOMES: tuple[Outcome, ...] = ("fail", "undecided", "pass", "not judged")
Judged = tuple[Outcome, tuple[Measured, ...]]


@cache
def counts_of(world: World) -> Counts:
    """The counts of a simulated world, as the pipeline makes them from silver."""
    rows = simulate(world).to_pandas()
    second, delay = rows["TX_DATETIME"].astype("datetime64[s]").astype("int64"), (
        SETTINGS.label_delay_days)
    found = pd.DataFrame({
        "terminal_id": rows["TERMINAL_ID"].astype(str), "day": second // SECONDS,
        "known": -(-second // SECONDS) + delay, "frauds": rows["TX_FRAUD"],
        "lost": rows["TX_FRAUD"] * rows["TX_AMOUNT"], "rows": 1})
    grouped = found.groupby(["terminal_id", "day", "known"], as_index=False).sum()
    return grids(pa.Table.from_pandas(grouped, preserve_index=False), delay)


def version(counts: Counts, overlooked: float, source: np.random.Generator) -> Outcomes:
    """The outcomes of a version that takes this share of the known frauds for genuine."""
    seen = replace(counts, known_frauds=source.binomial(
        counts.known_frauds.astype(int), 1 - overlooked).astype(float))
    listed = (scores(seen, expected_rates(seen, SETTINGS), SETTINGS) >= SETTINGS.threshold) & (
        recent(seen.known_frauds, SETTINGS.recent_days) > 0)
    days = measured_days(counts, SETTINGS)
    return for_gate(outcomes(counts, listed, SETTINGS, days), counts, days, "main@1")


def judged(world: World, worse: float, seed: int, policy: Policy = STRICT) -> Judged:
    """The first of OUTCOMES that occurs when the gate judges a simulated pair, and the KPIs.

    The candidate overlooks `worse` more of the known frauds; 0 makes the two exchangeable.
    """
    counts, source = counts_of(replace(world, seed=seed)), np.random.default_rng(seed)
    candidate, champion = (version(counts, share, source)
                           for share in (OVERLOOKED + worse, OVERLOOKED))
    measures = paired(candidate, champion, policy.draws, seed)
    found = decide(policy, Comparison(Model("candidate"), Model("champion"), measures),
                   datetime.now(timezone.utc))
    said = {reason.outcome for reason in found.reasons}
    return next(each for each in OUTCOMES if each in said), measures


def run() -> None:
    """Print the outcomes of PAIRS pairs for each world and effect."""
    table = Table("terminals", "days", "compromised", "overlooks more", "found later by, days",
                  "refused", "undecided", "passed", "not judged", box=None)
    for world in WORLDS:
        for worse in EFFECTS:
            found = [judged(world, worse, seed) for seed in range(PAIRS)]
            counts = Counter(outcome for outcome, _ in found)
            table.add_row(
                f"{world.terminals:,}", f"{world.days}", f"{_mean(found, 'compromised'):.0f}",
                f"{worse:.0%}", f"{_mean(found, 'days_to_find', than_champion=True):.2f}",
                *(f"{counts[each] / PAIRS:.1%}" for each in OUTCOMES))
    Console(width=120, highlight=False).print(table)


def _mean(found: list[Judged], kpi: str, than_champion: bool = False) -> float:
    """The mean of the candidate's KPI over the pairs that have it, or of its difference."""
    measured = [each for _, measures in found for each in measures if each.name == kpi]
    return float(np.mean([one.candidate - (one.champion if than_champion else 0)
                          for one in measured
                          if one.candidate is not None and one.champion is not None]))
