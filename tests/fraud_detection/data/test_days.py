from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from branchline.errors import BadInput
from fraud_detection.data.days import Span, between, run_days
from fraud_detection.settings import Settings

pytestmark = pytest.mark.spark
START = datetime(2024, 1, 1, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def thirty_days(spark: Any) -> Any:
    """A transaction at the first and at the last moment of January's days 1 to 30."""
    last = START + timedelta(days=30, milliseconds=-1)
    return spark.createDataFrame([(START,), (last,)], "event_time TIMESTAMP")


def test_without_a_start_the_test_days_are_the_last_ones(thirty_days: Any) -> None:
    days = run_days(thirty_days, Settings(train_days=16))
    assert days.test == Span(date(2024, 1, 24), date(2024, 1, 30))
    assert days.train == Span(date(2024, 1, 1), date(2024, 1, 16))
    assert days.built == Span(date(2024, 1, 1), date(2024, 1, 30))
    assert days.scored == days.test


def test_training_ends_a_label_delay_before_the_test(thirty_days: Any) -> None:
    days = run_days(thirty_days, Settings(train_days=3, label_delay_days=2, test_days=1,
                                          test_start=date(2024, 1, 10)))
    assert days.train == Span(date(2024, 1, 5), date(2024, 1, 7))
    assert days.test == Span(date(2024, 1, 10), date(2024, 1, 10))


def test_training_has_as_many_days_as_there_are(thirty_days: Any) -> None:
    assert run_days(thirty_days, Settings(train_days=100)).train == Span(
        date(2024, 1, 1), date(2024, 1, 16))


@pytest.mark.parametrize("settings", [Settings(test_start=date(2024, 1, 8)), Settings(
    train_days=1, test_start=date(2024, 1, 25)), Settings(train_days=1, test_days=40)])
def test_the_error_for_missing_days_says_what_the_data_cover(
        thirty_days: Any, settings: Settings) -> None:
    with pytest.raises(BadInput, match="the data cover 2024-01-01 to 2024-01-30; training on"):
        run_days(thirty_days, settings)


def test_a_span_that_ends_before_it_begins_is_bad_input(thirty_days: Any) -> None:
    with pytest.raises(BadInput, match="first_day 2024-01-20 lies after last_day 2024-01-10"):
        run_days(thirty_days, Settings(train_days=3, first_day=date(2024, 1, 20),
                                       last_day=date(2024, 1, 10)))


def test_days_are_utc_days_in_any_session(spark: Any, thirty_days: Any) -> None:
    before = str(spark.conf.get("spark.sql.session.timeZone"))
    try:
        spark.conf.set("spark.sql.session.timeZone", "Pacific/Auckland")
        for first, last, count in ((1, 1, 1), (2, 29, 0), (30, 30, 1)):
            span = between(date(2024, 1, first), date(2024, 1, last))
            assert thirty_days.where(span).count() == count
        assert run_days(thirty_days, Settings(train_days=16)).test.last == date(2024, 1, 30)
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)


def test_no_transactions_are_bad_input(thirty_days: Any) -> None:
    with pytest.raises(BadInput, match="silver.transactions is empty"):
        run_days(thirty_days.where("false"), Settings())
