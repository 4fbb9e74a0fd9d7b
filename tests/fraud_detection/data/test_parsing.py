from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import functions as F

from fraud_detection.data.parsing import parsed
from fraud_detection.settings import Columns
from tests.fraud_detection.bronze import BAD, TEN, Rows, bronze, session_set_to

pytestmark = pytest.mark.spark


def read(spark: Any, rows: Rows, columns: Columns = Columns()) -> list[tuple[int | None, str]]:
    """Milliseconds of the time, and the reason where the row is not valid, of each row."""
    said = parsed(columns)
    found = bronze(spark, rows).orderBy("source_row").select(
        F.unix_millis(said.values["event_time"]), F.when(~said.valid, said.reason))
    return [tuple(row) for row in found.collect()]


TIMES = {
    "2024-01-01 10:00:00": TEN, "2024-01-01T10:00:00Z": TEN, "2024-01-01 12:00:00+02:00": TEN,
    "2024-01-01T10:00:00.1239": TEN + 123, "2024-01-01": TEN - 36_000_000,
    "2023-10-29 01:30:00": 1_698_543_000_000}


@pytest.mark.parametrize(("zone", "ansi"), [("UTC", "true"), ("Europe/Berlin", "false")])
def test_times_are_utc_to_the_millisecond_and_reasons_the_same_whatever_the_session_is_set_to(
        spark: Any, zone: str, ansi: str) -> None:
    with session_set_to(spark, zone, ansi):
        good = read(spark, [{"event_time": text} for text in TIMES])
        bad = read(spark, [row for row, _ in BAD])
    assert good == [(time, None) for time in TIMES.values()]
    assert [reason for _, reason in bad] == [reason for _, reason in BAD]


@pytest.mark.parametrize(("epoch", "text"), [("seconds", "1704103200.0"),
                                             ("milliseconds", "1704103200000")])
def test_times_may_be_counted_since_1970(spark: Any, epoch: str, text: str) -> None:
    found = read(spark, [{"event_time": text}, {"event_time": "9" * 30}, {"event_time": "soon"}],
                 Columns(epoch=epoch))
    assert found[0] == (TEN, None)
    assert all("is not a time" in reason for _, reason in found[1:])
