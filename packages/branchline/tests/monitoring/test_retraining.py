"""The policy of retraining, on simulated days."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from branchline.monitoring.alerts import Alert
from branchline.monitoring.conditions import Condition
from branchline.monitoring.measures import Measure
from branchline.monitoring.retraining import Known, Retraining, decide
from support.measured import day, measure

POLICY = Retraining({
    "drift": Condition("psi", "score", above=0.25, windows=3),
    "worse": Condition("realised_auc", "score", below=0.8, windows=2),
    "strange": Condition("outlier_share", verdict="changed", windows=2)},
    at_most_once_in_days=14)


def trained(days: int, measures_of: Callable[[int, int | None], list[Measure]],
            policy: Retraining = POLICY) -> list[int]:
    """The days on which the policy trains; `measures_of` a day may depend on the last of them."""
    seen: list[Measure] = []
    found: list[int] = []
    for number in range(days):
        seen += measures_of(number, found[-1] if found else None)
        known = Known(day(number + 1), tuple(seen),
                      last_training=day(found[-1] + 1) if found else None)
        if decide(policy, known).train:
            found.append(number)
    return found


def quiet(number: int, _: int | None = None) -> list[Measure]:
    """Noise of an ordinary day: single days beyond a bound, never as many as the policy asks."""
    noise = random.Random(number)
    psi = 0.4 if number % 10 == 0 else noise.uniform(0.0, 0.2)
    auc = noise.gauss(0.86, 0.01)
    return [measure(number, psi),
            measure(number, auc, name="realised_auc", low=auc - 0.05, high=auc + 0.05),
            measure(number, 0.01, name="outlier_share", verdict="ok")]


def test_without_drift_it_never_trains_in_60_days() -> None:
    assert trained(60, quiet) == []


def test_a_drift_trains_once_when_the_new_model_knows_it() -> None:
    def drifted(number: int, last: int | None) -> list[Measure]:
        moved = number >= 20 and last is None
        return [measure(number, 0.5)] if moved else quiet(number)

    assert trained(60, drifted) == [22]


def test_a_drift_that_stays_trains_again_only_after_the_days_between() -> None:
    assert trained(60, lambda number, _: [measure(number, 0.5)]) == [2, 16, 30, 44, 58]


def test_windows_before_the_last_training_are_no_evidence_for_another() -> None:
    measures = tuple(measure(number, 0.5) for number in range(10))
    assert decide(POLICY, Known(day(40), measures)).train
    assert decide(POLICY, Known(day(40), measures, last_training=day(10))).reasons == ()


def test_realised_performance_below_a_bound_trains() -> None:
    def worse(number: int, _: int | None) -> list[Measure]:
        return [measure(number, 0.7, name="realised_auc", low=0.65, high=0.75)]

    assert trained(3, worse) == [1]


def test_a_schedule_trains_every_so_many_days() -> None:
    policy = Retraining(every_days=30, at_most_once_in_days=7)
    assert trained(70, quiet, policy) == [0, 30, 60]


def test_the_age_of_the_champion_trains() -> None:
    policy = Retraining(model_age_days=30, at_most_once_in_days=7)
    assert not decide(policy, Known(day(30), champion_trained=day(0))).train
    decision = decide(policy, Known(day(31), champion_trained=day(0)))
    assert decision.reasons == ("age: the champion was trained 31 days ago, at most 30",)
    assert not decide(policy, Known(day(31))).train


def test_an_open_alert_that_goes_to_retraining_trains() -> None:
    policy = Retraining(alerts=True, at_most_once_in_days=7)
    alert = Alert("drift", "1", "", "score", day(3).isoformat(), "warning", ("retraining",), "x",
                  "look")
    assert decide(policy, Known(day(4), alerts=(alert,))).reasons == ("alert drift: x",)
    assert not decide(policy, Known(day(20), alerts=(alert,), last_training=day(4))).train


def test_a_failed_training_may_be_tried_again_and_a_running_one_may_not() -> None:
    measures = tuple(measure(number, 0.5) for number in range(10))
    last = day(10)
    failed = Known(last + timedelta(hours=2), measures, last_training=last, failed=True)
    assert decide(POLICY, failed).train
    later = (*measures, *(measure(number, 0.5) for number in range(10, 14)))
    running = Known(last + timedelta(hours=2), later, last_training=last, running=True)
    assert not decide(POLICY, running).train
    assert "has not ended" in decide(POLICY, running).against[0]


def test_a_no_has_its_reasons_too() -> None:
    measures = tuple(measure(number, 0.5) for number in range(14))
    decision = decide(POLICY, Known(day(14), measures, last_training=day(10)))
    assert not decision.train and decision.reasons[0].startswith("drift: psi of score, model 1 is")
    assert decision.against == ("the last training was 4 days ago, at most once in 14",)
