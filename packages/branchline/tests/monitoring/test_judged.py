from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from branchline.monitoring.judged import row_measures, with_levels
from branchline.monitoring.levels import level_verdict
from branchline.monitoring.measures import Measure
from branchline.monitoring.performance import Outcome, broken_promise, estimated, realised
from branchline.monitoring.windows import Key, Rows

DAY = 86_400
NO_LATENCY = (None, None, None)


def window(day: int, rows: int, alerts: int, outliers: int = 0,
           version: str = "m-1", labelled: int | None = None) -> list[Measure]:
    outcome = Outcome(alerts, rows - alerts, .6 * alerts, 2.0, .24 * alerts, 2.0, alerts,
                      alerts // 2, 3)
    found = Rows(rows, alerts, outliers, 0, 0, 0, 0, rows if labelled is None else labelled,
                 NO_LATENCY, outcome)
    return list(row_measures(Key(day * DAY, version, ""), DAY, found, labels_known=True))


def verdict(measures: list[Measure], day: int, name: str) -> str:
    [found] = [each.verdict for each in measures
               if each.name == name and each.window_start.timestamp() == day * DAY]
    return found


@pytest.fixture(scope="module")
def quiet() -> list[Measure]:
    """Sixty days of some 2,000 rows, 0.5 % alerts and 1 % outliers."""
    source = np.random.default_rng(0)
    return [each for day in range(60) for each in window(
        day, *(int(source.poisson(mean)) for mean in (2000, 10, 20)))]


def test_sixty_quiet_days_have_no_changed_level(quiet: list[Measure]) -> None:
    said = {each.verdict for each in with_levels(quiet, [])}
    assert said == {"", "too_few", "ok"}


def test_levels_need_a_week_of_windows_before_they_say_anything(quiet: list[Measure]) -> None:
    judged = with_levels(quiet, [])
    assert verdict(judged, 6, "rows") == "too_few" and verdict(judged, 7, "rows") == "ok"


@pytest.mark.parametrize("name, changed", [
    ("rows", (4000, 20, 40)), ("rows", (900, 5, 9)), ("alert_share", (2000, 80, 20)),
    ("outlier_share", (2000, 10, 120))])
def test_a_changed_level_is_found_in_its_first_window(
        quiet: list[Measure], name: str, changed: tuple[int, int, int]) -> None:
    judged = with_levels([*quiet, *window(60, *changed)], [])
    assert verdict(judged, 60, name) == "changed"


def test_a_swapped_model_is_not_compared_with_the_one_before(quiet: list[Measure]) -> None:
    judged = with_levels([*quiet, *window(60, 2000, 200, version="m-2")], [])
    assert verdict(judged, 60, "alert_share") == "too_few"


def test_windows_of_earlier_runs_are_compared_with(quiet: list[Measure]) -> None:
    assert verdict(with_levels(window(60, 4000, 20, 40), quiet), 60, "rows") == "changed"


def test_without_spread_chance_alone_is_no_change() -> None:
    assert level_verdict([0.0] * 10, .001, noise=.001) == "ok"
    assert level_verdict([100.0] * 10, 100.0) == "ok"


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
    assert broken_promise(estimated(few)["precision"], realised(few)["precision"]) == "too_few"


def test_labels_that_are_not_known_yet_make_no_realised_performance() -> None:
    outcome = Outcome(10, 90, 6.0, 1.0, 2.0, .9, 3, 2, 0)
    found = Rows(100, 10, 0, 0, 0, 0, 0, 3, NO_LATENCY, outcome)
    measures = list(row_measures(Key(0, "m-1", ""), DAY, found, labels_known=False))
    assert {each.name for each in measures if each.subject == "labels"} == {
        "estimated_precision", "estimated_recall"}


def test_labels_that_no_longer_come_are_found(quiet: list[Measure]) -> None:
    judged = with_levels([*quiet, *window(60, 2000, 10, 20, labelled=900)], [])
    assert verdict(judged, 60, "labelled_share") == "changed"


def test_realised_precision_below_what_was_promised_is_changed_and_above_it_is_not() -> None:
    promised = Outcome(100, 900, 80.0, 5.0, 16.0, 5.0, 100, 50, 5)
    assert [broken_promise(estimated(promised)["precision"], realised(replace(
        promised, frauds=frauds))["precision"]) for frauds in (50, 78, 99)] == [
        "changed", "ok", "ok"]
