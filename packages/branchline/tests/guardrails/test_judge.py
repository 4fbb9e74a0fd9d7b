"""Each rule on rows of inputs and scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from branchline.errors import BadInput
from branchline.guardrails import AlertRate, Guardrails, Judge, Judged, Rule

INPUTS = ["amount", "night"]
RANGES = {"amount": (1.0, 10.0), "night": (0.0, 1.0)}
NAN = float("nan")


def judged(rows: Any, scores: Any, *rules: Rule, **more: Any) -> Judged:
    return Judge(Guardrails(rules, RANGES), INPUTS).judge(
        np.array(rows, np.float64), np.array(scores, np.float64), 0.5, **more)


def fired(rows: Any, rule: Rule, scores: Any = None, **more: Any) -> list[bool]:
    found = judged(rows, [0.1] * len(rows) if scores is None else scores, rule, **more)
    return [bool(names) for names in found.fired]


def test_without_rules_scores_are_as_they_are() -> None:
    found = judged([[1, 0], [2, 1]], [0.2, 0.5])
    assert found.scores.tolist() == [0.2, 0.5] and found.alerts.tolist() == [False, True]
    assert found.outcomes == ["scored"] * 2 and found.fired == [(), ()]


@pytest.mark.parametrize(("rule", "rows", "expected"), [
    (Rule("r", "outside_range"), [[1, 0], [10, 1], [0.9, 0], [1, 2], [NAN, 0]],
     [False, False, True, True, False]),
    (Rule("r", "outside_range", inputs=("night",)), [[99, 0], [1, 2]], [False, True]),
    (Rule("r", "missing"), [[1, 0], [NAN, 0], [1, NAN]], [False, True, True]),
    (Rule("r", "missing", inputs=("amount",)), [[1, NAN], [NAN, 0]], [False, True]),
    (Rule("r", "unknown_category", inputs=("night",), known=(0.0, 1.0)),
     [[5, 0], [5, 1], [5, 0.5], [5, NAN]], [False, False, True, True])])
def test_a_rule_about_inputs_fires_on_these_rows(rule: Rule, rows: list[list[float]],
                                                 expected: list[bool]) -> None:
    assert fired(rows, rule) == expected


def test_an_uncertain_score_is_one_within_the_band_with_its_ends() -> None:
    rule = Rule("r", "uncertain", between=(0.4, 0.6))
    assert fired([[1, 0]] * 4, rule, [0.39, 0.4, 0.6, 0.61]) == [False, True, True, False]


def test_an_outlier_is_one_where_the_outlier_model_says_so() -> None:
    rule = Rule("r", "outlier")
    assert fired([[1, 0]] * 2, rule, outliers=np.array([False, True])) == [False, True]
    assert fired([[1, 0]] * 2, rule) == [False, False]


def test_a_refusal_beats_an_override_and_the_first_override_counts() -> None:
    found = judged([[99, 0], [99, 0.5], [99, NAN], [1, 0]], [0.1] * 4,
                   Rule("high", "outside_range", "override", ("amount",), score=0.9),
                   Rule("low", "outside_range", "override", score=0.2),
                   Rule("odd", "unknown_category", inputs=("night",), known=(0.0, 1.0)),
                   Rule("gone", "missing", "refuse"))
    assert found.outcomes == ["overridden", "overridden", "refused", "scored"]
    assert found.scores[:2].tolist() == [0.9, 0.9] and np.isnan(found.scores[2])
    assert found.alerts.tolist() == [True, True, False, False]
    assert found.fired[1] == ("high", "low", "odd")
    assert found.fired[2] == ("high", "low", "odd", "gone")


def test_the_rate_of_alerts_is_that_of_the_latest_rows_once_there_are_enough() -> None:
    guardrails = Guardrails((Rule("many", "alert_rate", above=0.5, over=4),))
    rate, judge = AlertRate(guardrails), Judge(guardrails, INPUTS)
    scores = [0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.9]
    one_by_one = [bool(judge.judge(np.ones((1, 2)), np.array([score]), 0.5, rate=rate).fired[0])
                  for score in scores]
    at_once = judge.judge(np.ones((7, 2)), np.array(scores), 0.5, rate=AlertRate(guardrails))
    assert one_by_one == [False, False, False, True, False, False, False]
    assert [bool(names) for names in at_once.fired] == one_by_one
    assert at_once.outcomes[3] == "flagged" and at_once.scores.tolist() == scores


def test_rows_are_judged_the_same_alone_as_together() -> None:
    rng = np.random.default_rng(0)
    rows, scores = rng.uniform(0, 12, (500, 2)), rng.random(500)
    rules = (Rule("far", "outside_range"), Rule("band", "uncertain", between=(0.4, 0.6)),
             Rule("no", "unknown_category", "refuse", ("night",), tuple(range(11))))
    together = judged(rows, scores, *rules)
    for at in range(0, 500, 7):
        alone = judged(rows[at:at + 1], scores[at:at + 1], *rules)
        assert (alone.outcomes[0], alone.fired[0]) == (together.outcomes[at], together.fired[at])


def test_rules_survive_the_model_s_metadata() -> None:
    guardrails = Guardrails((Rule("far", "outside_range", "override", ("amount",), score=0.9),
                             Rule("band", "uncertain", between=(0.4, 0.6), line=7)), RANGES)
    assert Guardrails.from_json(guardrails.to_json(), "model m-1") == guardrails


def test_a_rule_about_another_input_names_file_and_line() -> None:
    guardrails = Guardrails((Rule("far", "outside_range", inputs=("age",), line=3),), RANGES,
                            "guardrails.yml")
    with pytest.raises(BadInput, match="^guardrails.yml, line 3: rule far: inputs has 'age', which "
                       "the model does not take; expected some of amount, night.$"):
        guardrails.check(INPUTS)


def test_a_model_without_training_ranges_is_named() -> None:
    with pytest.raises(BadInput, match="the model has no training range of amount; train it"):
        Judge(Guardrails((Rule("far", "outside_range"),)), INPUTS)
