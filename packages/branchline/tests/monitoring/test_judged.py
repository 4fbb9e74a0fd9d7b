from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from branchline.monitoring.drift import Policy
from branchline.monitoring.family import Unjudged, judged
from branchline.monitoring.judged import row_measures, with_levels
from branchline.monitoring.levels import level_test
from branchline.monitoring.measures import Measure
from branchline.monitoring.performance import Outcome, estimated, realised, shortfall
from branchline.monitoring.ranking import Ranked, auc, place
from branchline.monitoring.window_rows import Rows
from branchline.monitoring.windows import Key

DAY = 86_400
NO_LATENCY = (None, None, None)


def window(day: int, rows: int, alerts: int, outliers: int = 0,
           version: str = "m-1", labelled: int | None = None) -> list[Unjudged]:
    outcome = Outcome(alerts, rows - alerts, .6 * alerts, 2.0, .24 * alerts, 2.0, alerts,
                      alerts // 2, 3)
    found = Rows(rows, alerts, outliers, 0, 0, 0, 0, rows if labelled is None else labelled,
                 NO_LATENCY, outcome)
    return list(row_measures(Key(day * DAY, version, ""), DAY, found, Policy(), labels_known=True))


def said(tested: list[Unjudged], before: list[Measure] | None = None) -> list[Measure]:
    return judged(with_levels(tested, before or []), Policy().alarm_rate)


def verdict(measures: list[Measure], day: int, name: str) -> str:
    [found] = [each.verdict for each in measures
               if each.name == name and each.window_start.timestamp() == day * DAY]
    return found


@pytest.fixture(scope="module")
def quiet() -> list[Unjudged]:
    """Sixty days of some 2,000 rows, 0.5 % alerts and 1 % outliers."""
    source = np.random.default_rng(0)
    return [each for day in range(60) for each in window(
        day, *(int(source.poisson(mean)) for mean in (2000, 10, 20)))]


def test_sixty_quiet_days_have_no_changed_level(quiet: list[Unjudged]) -> None:
    assert {each.verdict for each in said(quiet)} == {"", "too_few", "ok"}


def test_levels_need_a_week_of_windows_before_they_say_anything(quiet: list[Unjudged]) -> None:
    found = said(quiet)
    assert verdict(found, 6, "rows") == "too_few" and verdict(found, 7, "rows") == "ok"


@pytest.mark.parametrize("name, changed", [
    ("rows", (4000, 20, 40)), ("rows", (900, 5, 9)), ("alert_share", (2000, 80, 20)),
    ("outlier_share", (2000, 10, 120))])
def test_a_changed_level_is_found_in_its_first_window(
        quiet: list[Unjudged], name: str, changed: tuple[int, int, int]) -> None:
    found = said([*quiet, *window(60, *changed)])
    assert verdict(found, 60, name) == "changed"


def test_a_swapped_model_is_not_compared_with_the_one_before(quiet: list[Unjudged]) -> None:
    found = said([*quiet, *window(60, 2000, 200, version="m-2")])
    assert verdict(found, 60, "alert_share") == "too_few"


def test_windows_of_earlier_runs_are_compared_with(quiet: list[Unjudged]) -> None:
    assert verdict(
        said(window(60, 4000, 20, 40), said(quiet)), 60, "rows") == "changed"


def test_without_spread_chance_alone_is_no_change() -> None:
    assert level_test([0.0] * 10, .001, noise=.001) == (pytest.approx(.34, abs=.01), False)
    assert level_test([100.0] * 10, 100.0) == (1.0, False)


def test_estimates_promise_what_calibrated_scores_do_within_their_interval() -> None:
    source = np.random.default_rng(1)
    within = 0
    for _ in range(200):
        scores = source.beta(1, 4, 500)
        frauds, alert = source.random(500) < scores, scores >= .3
        spread = scores * (1 - scores)
        found = Outcome(int(alert.sum()), int((~alert).sum()), scores[alert].sum(),
                        scores[~alert].sum(), spread[alert].sum(), spread[~alert].sum(),
                        int(alert.sum()), int((frauds & alert).sum()), int((frauds & ~alert).sum()))
        promised, came = estimated(found), realised(found)
        for name in ("precision", "recall"):
            estimate, true = promised[name], came[name].value
            assert None not in (estimate.low, estimate.high, true)
            within += estimate.low <= true <= estimate.high  # type: ignore[operator]
    assert 360 <= within <= 395  # of 400, at 95 %


def test_too_few_alerts_say_nothing_about_precision() -> None:
    few = Outcome(4, 100, 2.0, .5, 1.0, .4, 4, 2, 1)
    assert estimated(few)["precision"].value is None
    assert realised(few)["precision"].value is None
    assert shortfall("precision", estimated(few)["precision"], realised(few)["precision"]) is None


def test_labels_that_are_not_known_yet_make_no_realised_performance() -> None:
    outcome = Outcome(10, 90, 6.0, 1.0, 2.0, .9, 3, 2, 0)
    found = Rows(100, 10, 0, 0, 0, 0, 0, 3, NO_LATENCY, outcome)
    measures = [each.measure for each in row_measures(Key(0, "m-1", ""), DAY, found, Policy(),
                                                      labels_known=False)]
    assert {each.name for each in measures if each.subject == "labels"} == {
        "estimated_precision", "estimated_recall", "estimated_auc"}


def test_labels_that_no_longer_come_are_found(quiet: list[Unjudged]) -> None:
    found = said([*quiet, *window(60, 2000, 10, 20, labelled=900)])
    assert verdict(found, 60, "labelled_share") == "changed"


def test_realised_precision_below_what_was_promised_is_changed_and_above_it_is_not() -> None:
    promised = Outcome(100, 900, 80.0, 5.0, 16.0, 5.0, 100, 50, 5)

    def of(frauds: int) -> str:
        rows = Rows(1000, 100, 0, 0, 0, 0, 0, 1000, NO_LATENCY, replace(promised, frauds=frauds))
        return verdict(said(list(row_measures(Key(0, "m-1", ""), DAY, rows, Policy(), True))), 0,
                       "realised_precision")

    assert [of(frauds) for frauds in (50, 78, 99)] == ["changed", "ok", "ok"]


def scored(source: np.random.Generator, rows: int,
           calibrated: bool = True) -> tuple[np.ndarray, np.ndarray, Ranked]:
    """Scores, labels, and both in bins; of labels that scores do not rank where not calibrated."""
    scores = source.beta(.3, 4, rows)
    frauds = source.random(rows) < (scores if calibrated else scores.mean())
    bins = place(scores)
    parts = [tuple(np.bincount(bins - bins.min(), weights=each)) for each in (
        np.ones(rows), scores, frauds, ~frauds)]
    return scores, frauds, Ranked(*parts)  # type: ignore[arg-type]


def test_the_auc_in_bins_is_that_of_the_scores_and_its_promise_holds_at_95_percent() -> None:
    source, within = np.random.default_rng(0), 0
    for _ in range(300):
        scores, frauds, ranked = scored(source, 1000)
        promised, came = ranked.promised(), ranked.realised()
        assert None not in (promised.low, promised.high, came.value)
        assert came.value == pytest.approx(roc_auc_score(frauds, scores), abs=.003)
        within += promised.low <= came.value <= promised.high  # type: ignore[operator]
    assert 270 <= within <= 296


def test_an_auc_that_labels_do_not_keep_is_improbable_and_one_that_they_keep_is_not() -> None:
    source = np.random.default_rng(1)
    for calibrated in (True, False):
        _, _, ranked = scored(source, 1000, calibrated)
        found = shortfall("auc", ranked.promised(), ranked.realised())
        assert found and (found[1] < 1e-6) is not calibrated


def test_without_five_frauds_there_is_no_auc() -> None:
    assert auc(np.array([1., 3.]), np.array([50., 50.])).value is None
    assert auc(np.array([]), np.array([])).value is None


def family_of(day: int, *p_values: float, late: bool = False) -> list[Unjudged]:
    at = window(day, 10, 0)[0].measure
    return [Unjudged(replace(at, subject=f"{day}-{n}"), p, is_late=late)
            for n, p in enumerate(p_values)]


def test_all_tests_of_a_window_share_the_rate_and_other_windows_do_not_count() -> None:
    found = judged([*family_of(0, .004), *family_of(1, .004, .5)], .01)
    assert [each.verdict for each in found] == ["changed", "ok", "ok"]


def test_what_was_said_before_labels_came_stays_when_they_come() -> None:
    at_once = family_of(0, .002, .9)
    before = judged(at_once, .01)
    after = judged([*at_once, *family_of(0, *[.003] * 40, late=True)], .01)
    assert after[:2] == before and before[0].verdict == "changed"


def test_a_thousand_families_without_change_raise_alarms_at_most_at_the_rate() -> None:
    source = np.random.default_rng(2)
    alarms = sum(any(each.verdict == "changed" for each in judged(
        [*family_of(0, *source.random(60)), *family_of(0, *source.random(6), late=True)], .05))
        for _ in range(1000))
    assert 25 <= alarms <= 75  # 50 expected; outside once in 4,000 times
