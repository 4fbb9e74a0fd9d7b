"""The gate on published data: real models of one week, judged by the policy that is on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pandas as pd
import pytest

from branchline.config.gate_file import read_policy
from branchline.gate.comparison import Comparison, Data, Model
from branchline.gate.decide import decide
from branchline.gate.verdict import Verdict
from branchline.lakehouse import Lakehouse
from fraud_detection.data.days import run_days
from fraud_detection.settings import Settings
from fraud_detection.steps.compare import compared
from fraud_detection.steps.evaluate import test_rows as held_out
from fraud_detection.steps.train import best_threshold, fit, labelled
from fraud_detection.tables import FEATURES, TRANSACTIONS
from support.processes import PROJECT
from tests.published import PUBLISHED

pytestmark = PUBLISHED
POLICY = read_policy(PROJECT / "gate.yml")
MODELS = {
    "default": {"model": "hist_gradient_boosting", "features": "full", "class_weight": "balanced"},
    "logistic regression": {"model": "logistic_regression"},
    "forest": {"model": "random_forest"},
    "forest, another seed": {"model": "random_forest", "seed": 1},
}


@pytest.fixture(scope="module")
def scored(published: tuple[Lakehouse, Settings]) -> dict[str, pd.DataFrame]:
    """The test rows of the first published week, as each of the models scores them."""
    lakehouse, settings = published
    days = run_days(lakehouse.read(TRANSACTIONS), settings)
    train = labelled(lakehouse.read(FEATURES), days.train)
    test = held_out(lakehouse, settings, days.test).assign(first_day=pd.Timestamp("2018-04-01"))
    found = {}
    for name, choice in MODELS.items():
        model, unseen = fit(train, replace(settings, **choice))  # type: ignore[arg-type]
        found[name] = test.assign(
            score=model.predict_proba(test[model.feature_names_in_])[:, 1],
            threshold=best_threshold(unseen, settings.alert_cost))
    return found


def verdict(scored: dict[str, pd.DataFrame], candidate: str, champion: str) -> Verdict:
    rows, now = scored[candidate], datetime.now(timezone.utc)
    measures, slices = compared(rows, scored[champion], Settings(draws=POLICY.draws))
    data = Data(len(rows), int(rows["is_fraud"].sum()), now, now)
    found = decide(POLICY, Comparison(Model(candidate), Model(champion), measures, slices, data),
                   now)
    print(f"\n{candidate} against {champion}: {found.line}")
    print("\n".join(f"  {reason.name:<45} {reason.found:<38} {reason.outcome}"
                    for reason in found.reasons))
    return found


def difference(found: Verdict, metric: str) -> tuple[float, float]:
    """The interval of candidate less champion."""
    interval = next(reason.interval for reason in found.reasons
                    if reason.name == f"{metric} difference")
    assert interval is not None
    return interval.low, interval.high


def test_the_default_model_passes_against_logistic_regression(
        scored: dict[str, pd.DataFrame]) -> None:
    found = verdict(scored, "default", "logistic regression")
    assert found.passed and difference(found, "average_precision")[0] > 0


def test_logistic_regression_is_refused_against_the_default_model(
        scored: dict[str, pd.DataFrame]) -> None:
    found = verdict(scored, "logistic regression", "default")
    assert not found.passed
    assert "average_precision difference" in {reason.name for reason in found.against}


def test_a_model_with_another_seed_is_neither_better_nor_worse(
        scored: dict[str, pd.DataFrame]) -> None:
    for one, other in (("forest", "forest, another seed"), ("forest, another seed", "forest")):
        found = verdict(scored, one, other)
        assert found.passed and (scored[one]["score"] != scored[other]["score"]).any()
        for metric in ("average_precision", "card_precision_100", "net_saving"):
            low, high = difference(found, metric)
            assert low <= 0 <= high, metric
