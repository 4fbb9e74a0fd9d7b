"""How often the gate errs: false alarms and misses on simulated pairs, and its errors on weeks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.folds import scored_fold
from branchline.config.gate_policy import MetricRule, Policy, Tolerance
from branchline.gate.comparison import Comparison, Measured, Model
from branchline.gate.decide import decide
from branchline.gate.resampling import standard_errors, variance
from branchline.gate.verdict import Outcome
from branchline.lakehouse import Lakehouse
from fraud_detection.model.metrics import average_precision, card_precision, net_saving
from fraud_detection.settings import Settings
from fraud_detection.steps import featurize

PAIRS = 200
DRAWS = 200
EFFECTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6)
WEEKS = tuple(date(2018, 5, 20) + timedelta(days=7 * week) for week in range(15))
MEASURES = ("average_precision", "card_precision", "net_saving")
STRICT = Policy(tuple(MetricRule(name, tolerance=Tolerance(0)) for name in MEASURES), draws=DRAWS)


@dataclass(frozen=True)
class World:
    """Rows of cards over days; `of_cards`, `of_days`: share of a model's errors that they share."""

    cards: int = 400
    days: int = 7
    of_cards: float = 0.3
    of_days: float = 0.05

    def pair(self, worse: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A candidate and a champion that score the same rows, each with errors of its own.

        The candidate's scores show `worse` less of a fraud; 0 makes the two exchangeable.
        """
        source = np.random.default_rng(seed)
        card, day = np.divmod(np.arange(self.cards * self.days), self.days)
        kept = source.random(len(card)) < 0.7
        card, day = card[kept], day[kept]
        stolen = source.random(self.cards) < 0.1
        fraud = stolen[card] & (source.random(len(card)) < 0.6)
        rows = pd.DataFrame({"customer_id": card, "day": day, "is_fraud": fraud.astype(int),
                             "amount": source.lognormal(3.5, 1, len(card))})
        common = source.normal(size=len(rows))
        of_rows = 1 - self.of_cards - self.of_days
        return tuple(rows.assign(  # type: ignore[return-value]
            score=strength * fraud + common
            + np.sqrt(self.of_cards) * source.normal(size=self.cards)[card]
            + np.sqrt(self.of_days) * source.normal(size=self.days)[day]
            + np.sqrt(of_rows) * source.normal(size=len(rows))) for strength in (2.5 - worse, 2.5))


def outcome(world: World, worse: float, seed: int, policy: Policy = STRICT) -> Outcome:
    """The worst of the outcomes when the gate judges a simulated pair."""
    candidate, champion = world.pair(worse, seed)
    ours, theirs = ((average_precision(rows), card_precision(rows, 20), net_saving(rows, 3, 10))
                    for rows in (candidate, champion))
    once = np.ones((1, len(candidate)))
    errors = standard_errors(
        lambda weights: np.column_stack([one(weights) - other(weights)
                                         for one, other in zip(ours, theirs, strict=True)]),
        candidate["customer_id"].to_numpy(), candidate["day"].to_numpy(), policy.draws, seed)
    found = Comparison(Model("candidate"), Model("champion"), tuple(
        Measured(name, float(one(once)[0]), float(other(once)[0]), float(error))
        for name, one, other, error in zip(MEASURES, ours, theirs, errors, strict=True)))
    outcomes = {reason.outcome for reason in decide(
        policy, found, datetime.now(timezone.utc)).reasons}
    return next(each for each in ("fail", "undecided", "pass") if each in outcomes)


def run(lakehouse: Lakehouse, settings: Settings) -> None:
    console = Console(width=120, highlight=False)
    console.print(simulated())
    featurize.run(lakehouse, replace(settings, first_day=date(2018, 4, 1),
                                     last_day=WEEKS[-1] + timedelta(days=6)))
    console.print(weeks(lakehouse, settings))


def simulated() -> Table:
    """Outcomes of PAIRS pairs for each effect, if only cards share errors and if days do too."""
    table = Table("errors shared by", "fraud shows less by", "mean AP lost", "refused", "undecided",
                  "passed", box=None)
    for name, world in (("cards", World(of_days=0)), ("cards, days 5%", World()),
                        ("cards, days 20%", World(of_days=0.2))):
        for worse in EFFECTS:
            counts = Counter(outcome(world, worse, seed) for seed in range(PAIRS))
            lost = np.mean([_lost(world, worse, seed) for seed in range(PAIRS)])
            table.add_row(name, f"{worse:g}", f"{lost:.3f}", *(
                f"{counts[each] / PAIRS:.1%}" for each in ("fail", "undecided", "pass")))
    return table


def _lost(world: World, worse: float, seed: int) -> float:
    candidate, champion = (average_precision(rows)(np.ones((1, len(rows))))[0]
                           for rows in world.pair(worse, seed))
    return float(champion - candidate)


def weeks(lakehouse: Lakehouse, settings: Settings) -> Table:
    """Two seeds of the default model on 15 weeks: the spread of the weeks' differences.

    Beside it each resampling's estimate of it; the models are also retrained each week.
    """
    table = Table("measure", "spread of weeks", "cards", "days", "both times (product)",
                  "cards and what days add", box=None)
    found = np.array([_week(lakehouse, replace(settings, test_start=start)) for start in WEEKS])
    spread = found[:, 0].std(axis=0, ddof=1)
    cards, days, pairs = found[:, 1:].mean(axis=0)
    added = (found[:, 1] + np.maximum(found[:, 2] - found[:, 3], 0)).mean(axis=0)
    for name, values in zip(MEASURES, zip(spread, *map(np.sqrt, (
            cards, days, cards + days + pairs, added)), strict=True), strict=True):
        table.add_row(name, *(f"{value:.5g}" for value in values))
    return table


def _week(lakehouse: Lakehouse, settings: Settings) -> list[np.ndarray]:
    """The differences, and their variances over cards, days, and cards' days."""
    pair = [scored_fold(lakehouse, replace(settings, seed=seed)) for seed in (0, 1)]
    measures = [(average_precision(rows), card_precision(rows), net_saving(rows, 0.9, 10))
                for rows in pair]

    def measure(weights: np.ndarray) -> np.ndarray:
        return np.column_stack([one(weights) - other(weights)
                                for one, other in zip(*measures, strict=True)])

    rows = pair[0]
    units = [pd.factorize(column)[0] for column in (
        rows["customer_id"], rows["day"], rows["customer_id"] + "/" + rows["day"].astype(str))]
    return [measure(np.ones((1, len(rows))))[0], *(
        variance(measure, each, DRAWS, np.random.default_rng(0)) for each in units)]
