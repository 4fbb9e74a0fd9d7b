from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from branchline.lakehouse import Lakehouse
from fraud_detection import featurize
from fraud_detection.days import between
from fraud_detection.features import definitions, look_back_days
from fraud_detection.settings import Settings
from fraud_detection.tables import FEATURES, TRANSACTIONS

pytestmark = pytest.mark.spark
START = date(2024, 1, 1)


def day(number: int) -> date:
    return START + timedelta(days=number)


@pytest.fixture
def filled(lakehouse: Lakehouse, silver: Any) -> Lakehouse:
    """80 days of a transaction a day at each of two terminals, by three customers."""
    silver(*((f"{terminal}-{number}", number + 0.25, number % 3, terminal, 10 + number % 7,
              int(number % 10 == 0)) for number in range(80) for terminal in "ab"))
    return lakehouse


def rows(lakehouse: Lakehouse, first: int, last: int) -> list[tuple[Any, ...]]:
    found = lakehouse.read(FEATURES).where(between(day(first), day(last))).collect()
    return sorted(tuple(row) for row in found)


def build(lakehouse: Lakehouse, first: int, last: int) -> dict[str, int]:
    return featurize.run(lakehouse, Settings(train_days=10, first_day=day(first),
                                             last_day=day(last)))


def test_days_built_one_by_one_are_those_built_at_once(filled: Lakehouse) -> None:
    assert build(filled, 60, 63) == {"rows": 8, "days": 4}
    at_once = rows(filled, 60, 63)
    build(filled, 62, 62)
    assert rows(filled, 60, 63) == at_once


def test_only_the_days_of_the_span_are_replaced(filled: Lakehouse) -> None:
    build(filled, 60, 63)
    filled.spark.sql(f"UPDATE {filled.reference(FEATURES)} SET amount = -1")
    build(filled, 61, 62)
    amounts = {row["event_time"].day: row["amount"]
               for row in filled.read(FEATURES).collect()}
    marked = {number for number, amount in amounts.items() if amount == -1}
    assert marked == {day(60).day, day(63).day}


def test_history_beyond_the_look_back_is_not_read(filled: Lakehouse) -> None:
    build(filled, 79, 79)
    expected = rows(filled, 79, 79)
    reach = look_back_days(definitions("full", 7))
    assert reach < 79
    filled.spark.sql(f"UPDATE {filled.reference(TRANSACTIONS)} SET amount = 9999, is_fraud = 1 "
                     f"WHERE {between(START, day(79 - reach - 1))}")
    build(filled, 79, 79)
    assert rows(filled, 79, 79) == expected


def test_the_run_s_days_are_training_to_test(filled: Lakehouse) -> None:
    counts = featurize.run(filled, replace(Settings(), train_days=10))
    assert counts["days"] == 10 + 7 + 7
    assert rows(filled, 56, 79) == rows(filled, 0, 79)
