"""Whether the policy trains only when fraud has moved, and the gate prefers what it trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.monitoring import (DAY, DELAY, QUIET, TRAINED, Watched, all_features, fitted,
                                   measured, prepared)
from branchline.config.deploy_file import read_deploy_file
from branchline.config.gate_policy import MetricRule, Policy, Tolerance
from branchline.gate.comparison import Comparison, Measured, Model
from branchline.gate.decide import decide as gate
from branchline.gate.resampling import standard_errors
from branchline.monitoring.measures import Measure
from branchline.monitoring.retraining import Known, Retraining, decide
from fraud_detection.model.metrics import average_precision, card_precision

PROJECT = Path(__file__).resolve().parents[1] / "mlflow-notebooks" / "fraud-training"
FIRST, TEST = 15, 7  # the first day of moved fraud; the days that the gate judges on
NIGHT, SMALL, SHARE = 6, 12.0, 0.5  # new frauds: before this hour, below this amount, this share
BY = {"average_precision": average_precision, "card_precision_20": lambda rows: card_precision(
    rows, 20)}
RULES = Policy(tuple(MetricRule(name, tolerance=Tolerance(0)) for name in BY), draws=200)


def run() -> None:
    champion = prepared()
    policy = read_deploy_file(PROJECT / "deploy.yml").retraining
    assert policy is not None
    quiet = measured(champion, champion.features(champion.transactions))
    console = Console(width=150, highlight=False)
    console.print(f"without a change: trained on the days {_days(policy, quiet)} of {QUIET}")
    moved = replace(champion, transactions=moved_fraud(champion.transactions))
    rows = all_features(moved.transactions)
    table = Table("windows that have to be worse", "trained, days after the change", "candidate",
                  "champion", "difference / error", "gate", "takes over", box=None)
    for windows in (policy.when["outdated"].windows, 17):
        asked = {**policy.when, "outdated": replace(policy.when["outdated"], windows=windows)}
        for each in history(replace(policy, when=asked), moved, rows):
            table.add_row(str(windows), str(each.day - FIRST), *each.cells)
    console.print(table)


@dataclass(frozen=True)
class Training:
    """The candidate's average precision beside the champion's, and whether it takes over."""

    day: int
    cells: tuple[str, ...]
    wins: bool


def moved_fraud(rows: pd.DataFrame) -> pd.DataFrame:
    """From FIRST on no fraud as before, but small amounts at night, of any card."""
    since = (rows["day"] >= FIRST).to_numpy()
    like = (rows["event_time"].dt.hour < NIGHT) & (rows["amount"] < SMALL)
    new = like.to_numpy() & (np.random.default_rng(0).random(len(rows)) < SHARE)
    label = np.where(since, new, rows["truth"].to_numpy()).astype(rows["truth"].dtype)
    return rows.assign(truth=label, is_fraud=label)


def history(policy: Retraining, champion: Watched, rows: pd.DataFrame) -> list[Training]:
    """All trainings of the policy in the days, where a candidate that wins takes over at once."""
    found: list[Training] = []
    scored = rows[rows["day"] >= 0].reset_index(drop=True)
    measures = measured(champion, scored)
    for today in range(1, QUIET + 1):
        last = _moment(found[-1].day) if found else None
        known = Known(_moment(today), tuple(_seen(measures, today)), last_training=last)
        if not decide(policy, known).train:
            continue
        candidate, training = trained(champion, rows, today)
        found.append(training)
        if training.wins:
            champion = candidate
            later = measured(champion, scored[scored["day"] >= today])
            measures = [*(each for each in measures if each.window_start < _moment(today)), *later]
    return found


def trained(champion: Watched, rows: pd.DataFrame, today: int) -> tuple[Watched, Training]:
    """Train as the project does: the test days are the last whose labels are known, and the
    training days end where labels were known before the first of them."""
    test = rows[rows["day"].between(today - DELAY - TEST, today - DELAY - 1)]
    end = today - DELAY - TEST - DELAY
    candidate = fitted(f"trained-{today}", rows[rows["day"].between(end - TRAINED, end - 1)],
                       champion.transactions)
    found = _compared(candidate, champion, test)
    verdict = gate(RULES, Comparison(Model("candidate"), Model("champion"), found),
                   datetime.now(timezone.utc))
    ours = found[0]
    assert ours.candidate is not None and ours.champion is not None and ours.standard_error
    sure = (ours.candidate - ours.champion) / ours.standard_error
    wins = verdict.passed and sure > 1.96
    return candidate, Training(today, (
        f"{ours.candidate:.3f}", f"{ours.champion:.3f}", f"{sure:.1f}",
        "passed" if verdict.passed else "refused", "yes" if wins else "no"), wins)


def _compared(candidate: Watched, champion: Watched, test: pd.DataFrame) -> tuple[Measured, ...]:
    pair = [test.assign(score=each.model.score(test), is_fraud=test["truth"])
            for each in (candidate, champion)]
    functions = [(function(pair[0]), function(pair[1])) for function in BY.values()]
    once = np.ones((1, len(test)))
    errors = standard_errors(
        lambda weights: np.column_stack([one(weights) - other(weights)
                                         for one, other in functions]),
        *(pd.factorize(test[name])[0] for name in ("customer_id", "day")), RULES.draws, 0)
    return tuple(Measured(name, float(one(once)[0]), float(other(once)[0]), float(error))
                 for name, (one, other), error in zip(BY, functions, errors, strict=True))


def _days(policy: Retraining, measures: list[Measure]) -> list[int]:
    return [today for today in range(1, QUIET + 1)
            if decide(policy, Known(_moment(today), tuple(_seen(measures, today)))).train]


def _seen(measures: list[Measure], today: int) -> list[Measure]:
    """What is known at the beginning of a day: figures of labels wait for them."""
    labels = _moment(today) - timedelta(days=DELAY)
    return [each for each in measures if each.window_end <= (
        labels if each.name.startswith("realised") or each.name == "labelled_share"
        else _moment(today))]


def _moment(day: int) -> datetime:
    return datetime.fromtimestamp(day * DAY, timezone.utc)
