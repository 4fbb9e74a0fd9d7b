from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from branchline import Lakehouse
from branchline.features.kernel import look_back_days
from fraud_detection.data.days import between
from fraud_detection.features import definitions
from fraud_detection.settings import Settings
from fraud_detection.steps import featurize
from fraud_detection.tables import FEATURES, TRANSACTIONS
from tests.tables import copied, fill_silver

pytestmark = pytest.mark.spark
START = date(2024, 1, 1)


def day(number: int) -> date:
    return START + timedelta(days=number)


def rows(lakehouse: Lakehouse, first: int, last: int) -> list[tuple[Any, ...]]:
    found = lakehouse.read(FEATURES).where(between(day(first), day(last))).collect()
    return sorted(tuple(row) for row in found)


def build(lakehouse: Lakehouse, first: int, last: int) -> dict[str, int]:
    return featurize.run(lakehouse, Settings(train_days=10, first_day=day(first),
                                             last_day=day(last)))


@pytest.fixture(scope="module")
def built(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """80 days of a transaction a day at each of two terminals, by three customers; features of
    the days 60 to 63 and 79."""
    lakehouse = Lakehouse(spark, str(tmp_path_factory.mktemp("built")), "a_branch")
    fill_silver(lakehouse, *(
        (f"{terminal}-{number}", number + 0.25, number % 3, terminal, 10 + number % 7,
         int(number % 10 == 0)) for number in range(80) for terminal in "ab"))
    assert build(lakehouse, 60, 63) == {"rows": 8, "days": 4}
    assert build(lakehouse, 79, 79) == {"rows": 2, "days": 1}
    return lakehouse


@pytest.fixture
def lakehouse(built: Lakehouse, tmp_path: Path) -> Lakehouse:
    return copied(built, tmp_path)


def test_days_built_one_by_one_equal_days_built_at_once(lakehouse: Lakehouse) -> None:
    at_once = rows(lakehouse, 60, 63)
    assert len(at_once) == 8
    build(lakehouse, 62, 62)
    assert rows(lakehouse, 60, 63) == at_once


def test_days_without_transactions_have_no_features(built: Lakehouse) -> None:
    silver = built.read(TRANSACTIONS)
    assert featurize.features(silver, day(-9), day(-1), 7).collect() == []


def test_only_the_days_of_the_span_are_replaced(lakehouse: Lakehouse) -> None:
    lakehouse.spark.sql(f"UPDATE {lakehouse.reference(FEATURES)} SET amount = -1")
    build(lakehouse, 61, 62)
    amounts = {row["event_time"].date(): row["amount"]
               for row in lakehouse.read(FEATURES).collect()}
    marked = {when for when, amount in amounts.items() if amount == -1}
    assert marked == {day(60), day(63), day(79)}


def test_history_beyond_the_look_back_is_not_read(lakehouse: Lakehouse) -> None:
    expected = rows(lakehouse, 79, 79)
    reach = look_back_days(definitions("full", 7))
    assert reach < 79
    lakehouse.spark.sql(
        f"UPDATE {lakehouse.reference(TRANSACTIONS)} SET amount = 9999, is_fraud = 1 "
        f"WHERE {between(START, day(79 - reach - 1))}")
    build(lakehouse, 79, 79)
    assert rows(lakehouse, 79, 79) == expected


def test_the_run_s_days_are_training_to_test(lakehouse: Lakehouse) -> None:
    counts = featurize.run(lakehouse, replace(Settings(), train_days=10))
    assert counts == {"rows": 48, "days": 10 + 7 + 7}
    assert rows(lakehouse, 56, 79) == rows(lakehouse, 0, 79)
