from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from terminal_watch.counts import grids
from terminal_watch.lists import day_lists, since
from terminal_watch.settings import Settings
from terminal_watch.tables import WATCHED_TERMINALS
from tests.terminal_watch.grids import Row, compromised, counts, genuine, table

SETTINGS = Settings()
BAD = [*genuine("bad", 0, 39), *compromised("bad", 40, 60), *genuine("bad", 61, 99)]
ONE = [*genuine("one", 0, 49), ("one", 50, 1, 1), *genuine("one", 51, 99)]


def days_of(rows: pd.DataFrame, terminal: str) -> list[int]:
    found = rows[rows["terminal_id"] == terminal]["day"]
    return ((found - pd.Timestamp(0)) // pd.Timedelta(days=1)).tolist()


def test_a_compromised_terminal_is_listed_when_its_second_fraud_is_known_until_it_is_clean() -> (
        None):
    found = days_of(day_lists(counts(*BAD, *ONE, days=100), SETTINGS), "bad")
    assert found == list(range(49, found[-1] + 1))
    assert 69 <= found[-1] < 80


def test_one_fraud_lists_no_terminal() -> None:
    assert days_of(day_lists(counts(*BAD, *ONE, days=100), SETTINGS), "one") == []


def test_a_terminal_is_not_listed_without_a_fraud_in_the_recent_days() -> None:
    rare = [("rare", 10, 2, 2), ("rare", 99, 1, 0)]
    found = days_of(day_lists(counts(*rare, days=100), SETTINGS), "rare")
    assert found == list(range(18, 18 + SETTINGS.recent_days))


@pytest.mark.parametrize("day", [48, 49, 55, 75])
def test_a_day_s_list_is_the_same_whatever_happens_from_its_label_delay_on(day: int) -> None:
    before: list[Row] = [row for row in [*BAD, *ONE] if row[1] < day - 7]
    later: list[Row] = [(name, each, 9, 9) for name in ("bad", "one", "new")
                        for each in range(day - 7, 100)]
    lists = [day_lists(counts(*rows, days=100), SETTINGS)
             for rows in ([*BAD, *ONE], [*before, *later])]
    known = [rows[rows["day"] <= pd.Timestamp(day * 86_400, unit="s")] for rows in lists]
    pd.testing.assert_frame_equal(*known)


def test_the_evidence_is_what_became_known_in_the_recent_days_and_says_so() -> None:
    rows = day_lists(counts(*BAD, days=100), SETTINGS)
    row = rows[rows["day"] == pd.Timestamp(51 * 86_400, unit="s")].iloc[0]
    assert (row["rank"], row["frauds"], row["transactions"], row["lost"]) == (1, 4, 21, 40.0)
    assert row["evidence"] == (
        f"4 known frauds in 21 days where {row['expected_frauds']:.1f} were expected among 21 "
        "transactions; the first of them on 1970-02-10, the last on 1970-02-13; 40.00 lost; "
        "listed since 1970-02-19.")


def test_a_list_is_ordered_by_score_and_then_by_frauds() -> None:
    rows = day_lists(counts(*compromised("few", 0, 20), *compromised("many", 0, 20, 3), days=30),
                     SETTINGS)
    last = rows[rows["day"] == rows["day"].max()]
    assert last["terminal_id"].tolist() == ["many", "few"] and last["rank"].tolist() == [1, 2]


def test_a_higher_threshold_lists_fewer_and_later() -> None:
    found = counts(*BAD, *ONE, days=100)
    high = day_lists(found, replace(SETTINGS, threshold=12.0))
    assert days_of(high, "bad")[0] > 49


def test_the_columns_are_the_table_s_and_none_is_empty() -> None:
    rows = day_lists(counts(*BAD, days=100), SETTINGS)
    assert list(rows) == WATCHED_TERMINALS.column_names and not rows.isna().any(axis=None)
    assert not rows.duplicated(["day", "terminal_id"]).any()


def test_without_fraud_every_list_is_empty() -> None:
    assert day_lists(grids(table(genuine("a", 0, 20)), 7), SETTINGS).empty


def test_since_is_the_first_of_the_days_without_a_break() -> None:
    listed = np.array([[True, True, False, True, True, False]])
    assert since(listed)[0, listed[0]].tolist() == [0, 0, 3, 3]


def test_days_are_calendar_days() -> None:
    rows = day_lists(counts(*BAD, days=100), SETTINGS)
    assert rows["first_fraud"].min() == pd.Timestamp(date(1970, 2, 10))
