"""Alerts by policy: opened by a condition, told once, closed when it no longer holds."""

from __future__ import annotations

from branchline.monitoring.alerts import (RECEIVERS, Alert, AlertRule, Monitors, told, untold,
                                          update)
from branchline.monitoring.conditions import Condition
from branchline.monitoring.measures import Measure
from support.measured import measure

TO = RECEIVERS[:2]


def monitors(**about: object) -> Monitors:
    condition = Condition("psi", **{"above": 0.25, **about})  # type: ignore[arg-type]
    return Monitors((AlertRule("drift", condition, "warning", TO, "look"),), "watching")


def evaluated(rules: Monitors, *days: list[Measure]) -> list[list[tuple[str, str]]]:
    """What is told after each day, as (receiver, status), where every receiver accepts it."""
    before: tuple[Alert, ...] = ()
    seen: list[Measure] = []
    notices = []
    for measures in days:
        seen += measures
        now = update(rules, seen, before)
        notices.append([(name, each.status) for each in now for name in untold(each)])
        before = tuple(told(each, untold(each)) for each in now)
    return notices


def of_days(*values: float | None) -> list[list[Measure]]:
    return [[measure(number, value)] for number, value in enumerate(values)]


def test_an_alert_is_told_once_until_it_closes_and_again_when_it_opens_anew() -> None:
    opened, closed = ([(name, status) for name in TO] for status in ("open", "closed"))
    assert evaluated(monitors(), *of_days(0.1, 0.3, 0.4, 0.5, 0.1, 0.1, 0.3)) == [
        [], opened, [], [], closed, [], opened]


def test_a_condition_for_three_windows_holds_in_the_third() -> None:
    found = evaluated(monitors(windows=3), *of_days(0.3, 0.3, 0.1, 0.3, 0.3, 0.3))
    assert [bool(each) for each in found] == [False, False, False, False, False, True]


def test_windows_that_say_nothing_neither_count_nor_close() -> None:
    found = evaluated(monitors(windows=2), *of_days(0.3, None, 0.3, None))
    assert [bool(each) for each in found] == [False, False, True, False]


def test_each_series_has_an_alert_of_its_own() -> None:
    now = update(monitors(), [measure(0, 0.3, subject=name) for name in ("amount", "score")], ())
    assert {each.subject for each in now} == {"amount", "score"}
    assert len({each.id for each in now}) == 2


def test_other_subjects_slices_and_measures_do_not_count() -> None:
    others = [measure(0, 9, subject="amount"), measure(0, 9, of_slice="night=1"),
              measure(0, 9, name="null_share")]
    assert update(monitors(subject="score"), others, ()) == ()
    assert len(update(monitors(subject="score", slice="*"), others, ())) == 1


def test_a_bound_holds_only_if_all_of_the_interval_is_beyond_it() -> None:
    below = {"above": None, "below": 0.5}
    assert update(monitors(**below), [measure(0, 0.4, low=0.3, high=0.6)], ()) == ()
    assert update(monitors(**below), [measure(0, 0.4, low=0.3, high=0.45)], ())
    assert update(monitors(), [measure(0, 0.3, low=0.2, high=0.4)], ()) == ()


def test_a_verdict_is_a_condition_too() -> None:
    rules = monitors(above=None, verdict="changed")
    assert update(rules, [measure(0, 0.01, verdict="changed")], ())
    assert update(rules, [measure(0, 9, verdict="ok")], ()) == ()
    assert update(rules, [measure(0, 9, verdict="too_few")], ()) == ()


def test_an_alert_of_a_model_that_no_longer_scores_is_closed() -> None:
    before = update(monitors(), [measure(0, 0.3)], ())
    (now,) = update(monitors(), [measure(0, 0.3), measure(1, 0.1, model="2")],
                    [told(each, TO) for each in before])
    assert (now.status, now.line) == ("closed", "it is no longer measured")


def test_an_alert_stays_as_it_is_without_any_measure() -> None:
    before = update(monitors(), [measure(0, 0.3)], ())
    assert update(monitors(), [], before) == before


def test_an_alert_whose_rule_is_gone_is_closed() -> None:
    before = [told(each, TO) for each in update(monitors(), [measure(0, 0.3)], ())]
    (now,) = update(Monitors((), "watching"), [], before)
    assert (now.status, untold(now)) == ("closed", TO)


def test_who_did_not_hear_of_the_opening_hears_nothing_of_the_end() -> None:
    (before,) = update(monitors(), [measure(0, 0.3)], ())
    (now,) = update(monitors(), [measure(1, 0.1)], [told(before, ["log"])])
    assert untold(now) == ("log",)


def test_an_alert_survives_its_record() -> None:
    (alert,) = update(monitors(), [measure(0, 0.3)], ())
    assert Alert.of_record(alert.as_record()) == alert
