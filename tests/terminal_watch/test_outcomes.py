from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from branchline import BadInput
from terminal_watch.counts import Counts
from terminal_watch.lists import day_lists
from terminal_watch.outcomes import (Days, by_unit, episodes, kpis, list_grid, measured_days,
                                     outcomes)
from terminal_watch.settings import Settings
from tests.terminal_watch.grids import compromised, counts, genuine

SETTINGS = Settings()


def spans(found: Counts) -> list[tuple[str, int, int]]:
    table = episodes(found, SETTINGS)
    return [(found.terminals[row.terminal], row.start, row.end) for row in table.itertuples()]


def test_a_run_of_frauds_is_an_episode_from_its_first_fraud_to_its_last() -> None:
    found = counts(*compromised("run", 10, 20), *compromised("few", 10, 12),
                   ("far", 0, 1, 1), ("far", 8, 1, 1), ("far", 16, 1, 1), ("far", 24, 1, 1),
                   days=60)
    assert spans(found) == [("run", 10, 20)]


def test_frauds_that_follow_within_the_days_of_a_run_belong_to_it_and_later_ones_do_not() -> None:
    found = counts(("a", 3, 1, 1), *compromised("a", 10, 13), ("a", 20, 1, 1), ("a", 28, 1, 1),
                   *compromised("a", 40, 45), days=80)
    assert spans(found) == [("a", 3, 20), ("a", 40, 45)]


def test_unknown_labels_at_the_end_end_an_episode() -> None:
    found = counts(*compromised("a", 10, 29), days=30)
    assert spans(found) == [("a", 10, 22)]


def test_days_are_measured_from_the_first_label_to_the_last_whose_horizon_is_known() -> None:
    found = counts(*compromised("a", 10, 20), days=40)
    assert measured_days(found, SETTINGS) == Days(8, 26)
    asked = replace(SETTINGS, first_day=date(1970, 1, 11), last_day=date(1970, 1, 15))
    assert measured_days(found, asked) == Days(10, 14) and Days(10, 14).count == 5


def test_too_few_days_are_bad_input_that_says_how_many_it_takes() -> None:
    with pytest.raises(BadInput, match=r"cover 1970-01-01 to 1970-01-20: no list can be measured"):
        measured_days(counts(("a", 0, 1, 1), days=20), SETTINGS)


def listed(found: Counts, *pairs: tuple[str, int]) -> np.ndarray:
    rows = pd.DataFrame(pairs, columns=["terminal_id", "day"])
    rows["day"] = pd.to_datetime(rows["day"], unit="D")
    return list_grid(found, rows)


def test_the_kpis_of_lists_that_can_be_counted_by_hand() -> None:
    found = counts(*compromised("a", 10, 29), *compromised("b", 12, 30), ("c", 5, 1, 1), days=60)
    grid = listed(found, ("a", 20), ("a", 21), ("a", 23), ("c", 20))
    days = measured_days(found, SETTINGS)
    assert kpis(outcomes(found, grid, SETTINGS, days), days.count) == pytest.approx({
        "precision": 2 / 3, "list_precision": 3 / 4, "found_share": 1 / 2, "days_to_find": 10,
        "money_share": 30 / 390, "money_stopped": 30, "alerts_a_day": 3 / 39,
        "listed_a_day": 4 / 39, "compromised": 2})


def test_the_sums_by_terminal_and_day_have_every_terminal_and_day_once() -> None:
    found = counts(*compromised("a", 10, 29), *compromised("b", 12, 30), ("c", 5, 1, 1), days=60)
    days = measured_days(found, SETTINGS)
    rows = outcomes(found, listed(found, ("a", 20), ("c", 20)), SETTINGS, days)
    units = by_unit(rows, found, days)
    assert set(units["terminal_id"]) == {"a", "b", "c"}
    assert units["day"].nunique() == days.count
    assert not units.duplicated(["terminal_id", "day"]).any()
    assert kpis(units.drop(columns=["terminal_id", "day"]), days.count) == kpis(
        rows.drop(columns=["terminal", "day"]), days.count)
    assert units.set_index(["terminal_id", "day"])["listed"].loc[("c", "1970-01-21")] == 1


def test_a_further_fraud_counts_from_the_listed_day_to_the_end_of_the_horizon() -> None:
    found = counts(("a", 20, 1, 1), days=60)
    hits = [outcomes(found, listed(found, ("a", day)), SETTINGS, Days(8, 40))["listed_hits"].sum()
            for day in (13, 14, 20, 21)]
    assert hits == [0, 1, 1, 0]


def test_a_kpi_without_data_is_left_out() -> None:
    found = counts(("a", 20, 1, 1), days=60)
    rows = outcomes(found, listed(found), SETTINGS, Days(8, 40))
    assert kpis(rows, 33) == {"money_stopped": 0, "alerts_a_day": 0, "listed_a_day": 0,
                              "compromised": 0}


def test_lists_of_other_data_are_bad_input() -> None:
    found = counts(("a", 20, 1, 1), days=60)
    for pair in (("other", 20), ("a", 99)):
        with pytest.raises(BadInput, match="run the step watch, then measure"):
            listed(found, pair)


def test_the_lists_find_a_compromised_terminal_soon_after_its_labels_are_known() -> None:
    found = counts(*genuine("a", 0, 39), *compromised("a", 40, 67), days=100)
    rows, days = day_lists(found, SETTINGS), measured_days(found, SETTINGS)
    numbers = kpis(outcomes(found, list_grid(found, rows), SETTINGS, days), days.count)
    assert numbers["precision"] == numbers["found_share"] == 1 and numbers["days_to_find"] == 9
