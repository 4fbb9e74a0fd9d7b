from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from branchline.config.gate_policy import MetricRule, Policy, Sanity, SliceRule, Tolerance
from branchline.gate.comparison import Comparison, Data, Measured, Model, Slice
from branchline.gate.decide import decide
from branchline.gate.verdict import Reason, Verdict

NOW = datetime(2024, 5, 1, tzinfo=timezone.utc)
POLICY = Policy(
    (MetricRule("ap", floor=0.3, tolerance=Tolerance(0.02)),),
    (SliceRule("amount", Tolerance(0.1), min_rows=100, min_positives=10),),
    Sanity(min_rows=1000, label_rate=(0.001, 0.05), ingested_within_days=7))
SLICE = Slice("amount", "0 to 25", 500, 20, Measured("ap", 0.5, 0.5, 0.01))
GOOD = Comparison(
    Model("models:/m-1"), Model("models:/fraud/3"), (Measured("ap", 0.52, 0.5, 0.01),), (SLICE,),
    Data(5000, 50, NOW - timedelta(days=9), NOW - timedelta(days=1)))


def verdict(comparison: Comparison, policy: Policy = POLICY) -> Verdict:
    return decide(policy, comparison, NOW)


def reason(found: Verdict, name: str, number: int = 0) -> Reason:
    return [each for each in found.reasons if each.name == name][number]


def measured(candidate: float | None, champion: float | None = 0.5,
             error: float | None = 0.01) -> Comparison:
    return replace(GOOD, measures=(Measured("ap", candidate, champion, error),))


def test_an_equally_good_candidate_on_sane_data_passes_every_check() -> None:
    found = verdict(GOOD)
    assert found.passed and found.line == "passed"
    assert {each.outcome for each in found.reasons} == {"pass"}


@pytest.mark.parametrize(("candidate", "outcome"), [
    (0.40, "fail"), (0.47, "undecided"), (0.50, "undecided"), (0.52, "pass")])
def test_only_clear_evidence_decides_a_difference(candidate: float, outcome: str) -> None:
    found = verdict(measured(candidate, error=0.015))
    assert reason(found, "ap difference").outcome == outcome
    assert found.passed == (outcome != "fail")


def test_undecided_fails_where_the_policy_says_so() -> None:
    found = verdict(measured(0.47, error=0.015), replace(POLICY, undecided="fail"))
    assert not found.passed and found.line.startswith("refused (undecided: ap difference -0.0300 (")


def test_a_difference_without_noise_is_decided_by_the_tolerance_alone() -> None:
    assert verdict(measured(0.4801, error=None)).passed
    assert not verdict(measured(0.4799, error=None)).passed


def test_the_level_is_divided_among_all_comparisons() -> None:
    alone = verdict(replace(GOOD, slices=()), replace(POLICY, slices=()))
    among_two = reason(verdict(GOOD), "ap difference").interval
    single = reason(alone, "ap difference").interval
    assert single is not None and among_two is not None
    assert single.high - single.difference == pytest.approx(1.645 * 0.01, rel=1e-3)
    assert among_two.high - among_two.difference == pytest.approx(1.960 * 0.01, rel=1e-3)


def test_with_few_units_only_a_larger_difference_is_clear() -> None:
    def of_units(units: float | None) -> str:
        found = verdict(replace(GOOD, measures=(Measured("ap", 0.47, 0.5, 0.004, units),)))
        return reason(found, "ap difference").outcome
    assert [of_units(units) for units in (None, 200, 5, 4)] == [
        "fail", "fail", "undecided", "not judged"]


def test_student_s_quantiles_are_those_of_the_tables() -> None:
    def half(units: float) -> float:
        one = replace(GOOD, slices=(), measures=(Measured("ap", 0.5, 0.5, 1.0, units),))
        interval = reason(verdict(one, replace(POLICY, slices=())), "ap difference").interval
        assert interval is not None
        return interval.high
    assert [half(units) for units in (5, 11, 31)] == pytest.approx(
        [2.132, 1.812, 1.697], rel=2e-3)


def test_if_lower_is_better_a_higher_value_is_worse() -> None:
    lower = replace(POLICY, metrics=(MetricRule("ap", "lower", 0.6, Tolerance(0.02)),))
    assert verdict(measured(0.4), lower).passed
    worse = verdict(measured(0.59), lower)
    assert reason(worse, "ap").outcome == "pass" and not worse.passed
    assert reason(worse, "ap difference").wanted == "up by at most 0.0200"
    assert reason(verdict(measured(0.61), lower), "ap").outcome == "fail"


@pytest.mark.parametrize("candidate", [0.29, None])
def test_a_floor_holds_whatever_the_champion_is(candidate: float | None) -> None:
    assert not verdict(measured(candidate, champion=0.2)).passed
    assert not verdict(replace(measured(candidate), champion=None)).passed


def test_without_a_champion_the_floors_alone_decide() -> None:
    found = verdict(replace(measured(0.31, None, None), champion=None))
    assert found.passed and found.champion is None
    assert reason(found, "champion").outcome == "not judged"
    assert not [each for each in found.reasons if each.interval]


def test_a_metric_without_a_champion_value_is_checked_against_its_floor_only() -> None:
    found = verdict(measured(0.52, None, None))
    assert found.passed and reason(found, "ap difference").outcome == "not judged"
    assert not verdict(measured(0.29, None, None)).passed


def test_the_policy_decides_whether_a_broken_champion_fails_or_only_floors_apply() -> None:
    broken = replace(measured(0.52, None, None),
                     champion=Model("models:/fraud/3", problem="it needs speed, which is gone"))
    assert not verdict(broken).passed
    assert reason(verdict(broken), "champion").found == "it needs speed, which is gone"
    assert verdict(broken, replace(POLICY, broken_champion="floors")).passed


def test_a_champion_logged_with_other_libraries_is_reported_and_compared() -> None:
    other = replace(GOOD, notes={"other_libraries": ["scikit-learn==1.5.0 (here 1.9.1)"]})
    told = reason(verdict(other), "champion's libraries")
    assert verdict(other).passed and told.outcome == "not judged"
    assert told.found == "it was logged with scikit-learn==1.5.0 (here 1.9.1)"


def test_a_slice_that_collapses_fails_though_the_whole_is_better() -> None:
    part = replace(SLICE, measured=Measured("ap", 0.2, 0.5, 0.03))
    found = verdict(replace(GOOD, slices=(part,)))
    assert not found.passed
    assert [each.name for each in found.against] == ["ap, amount 0 to 25"]


@pytest.mark.parametrize(("rows", "positives"), [(99, 20), (500, 9)])
def test_a_slice_of_too_few_rows_or_positives_is_shown_and_not_judged(
        rows: int, positives: int) -> None:
    part = Slice("amount", "0 to 25", rows, positives, Measured("ap", 0.1, 0.5, 0.01))
    found = verdict(replace(GOOD, slices=(part,)))
    assert found.passed and reason(found, "ap, amount 0 to 25").outcome == "not judged"


def test_a_kind_of_slice_that_was_not_compared_fails() -> None:
    assert reason(verdict(replace(GOOD, slices=())), "slices of amount").outcome == "fail"


@pytest.mark.parametrize(("data", "name"), [
    (Data(999, 10, NOW, NOW), "rows"),
    (Data(5000, 4, NOW, NOW), "label rate"),
    (Data(5000, 251, NOW, NOW), "label rate"),
    (Data(0, 0, NOW, NOW), "rows"),
    (Data(5000, 50, NOW, NOW - timedelta(days=7, hours=1)), "last arrival"),
    (Data(5000, 50, NOW, None), "last arrival"),
])
def test_too_few_implausible_or_stale_data_fail(data: Data, name: str) -> None:
    found = verdict(replace(GOOD, data=data))
    assert not found.passed and name in {each.name for each in found.against}


def test_the_last_events_age_counts_only_where_the_policy_asks() -> None:
    assert "last event" not in {each.name for each in verdict(GOOD).reasons}
    asking = replace(POLICY, sanity=replace(POLICY.sanity, event_within_days=5))
    assert reason(verdict(GOOD, asking), "last event").found == "9.0 days ago"
    assert not verdict(GOOD, asking).passed


def test_guardrails_are_told_and_a_rule_with_a_bound_is_held_to_it() -> None:
    notes = {"guardrails": {"far": [12, 1000, None], "many": [30, 1000, 0.05]}}
    found = verdict(replace(GOOD, notes=notes))
    assert found.passed and reason(found, "guardrail far").found == "12 of 1,000 rows (1.20%)"
    assert reason(found, "guardrail far").outcome == "not judged"
    notes["guardrails"]["many"] = [60, 1000, 0.05]
    found = verdict(replace(GOOD, notes=notes))
    assert not found.passed and reason(found, "guardrail many").wanted == "at most 5.00% alerts"
