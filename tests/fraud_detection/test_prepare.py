from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import pytest

from branchline.errors import RowsLost
from branchline.lakehouse import Lakehouse, Table
from fraud_detection import prepare
from fraud_detection.settings import Columns, Settings
from fraud_detection.tables import (BRONZE_TRANSACTIONS, DUPLICATES, QUARANTINE,
                                    TRANSACTION_COLUMNS, TRANSACTIONS)

pytestmark = pytest.mark.spark
GOOD = {"transaction_id": "1", "event_time": "2024-01-01 10:00:00", "customer_id": "c",
        "terminal_id": "t", "amount": "10.5", "is_fraud": "0"}
ARRIVED = datetime(2024, 1, 2, tzinfo=timezone.utc)


def land(lakehouse: Lakehouse, rows: Iterable[dict[str, str | None]], file: str = "a.csv",
         minute: int = 0) -> None:
    """Rows of text into bronze, as one file that was taken at that minute."""
    made = [{"source_file": file, "source_row": at, **GOOD, "problem": None,
             "ignored_columns": None, "arrived_at": ARRIVED,
             "ingested_at": ARRIVED.replace(minute=minute), **row}
            for at, row in enumerate(rows, 1)]
    types = ", ".join(f"{column.name} {column.type}" for column in BRONZE_TRANSACTIONS.columns)
    frame = lakehouse.spark.createDataFrame(
        [tuple(row[name] for name in BRONZE_TRANSACTIONS.column_names) for row in made], types)
    lakehouse.merge(BRONZE_TRANSACTIONS, frame)


def rows_of(lakehouse: Lakehouse, table: Table) -> list[dict[str, Any]]:
    return [row.asDict() for row in lakehouse.read(table).orderBy("source_row").collect()]


BAD = [
    ({"event_time": "yesterday"}, "event_time yesterday is not a time"),
    ({"event_time": "2024-02-30 00:00:00"}, "event_time 2024-02-30 00:00:00 is not a time"),
    ({"event_time": None}, "event_time is missing"),
    ({"event_time": "2024-01-02 00:00:01"},
     "event_time 2024-01-02 00:00:01 lies after the arrival of its file"),
    ({"amount": "-0.01"}, "amount -0.01 is negative"),
    ({"amount": "NaN"}, "amount NaN is not a finite number"),
    ({"amount": "Infinity"}, "amount Infinity is not a finite number"),
    ({"amount": "1e999"}, "amount 1e999 is not a finite number"),
    ({"amount": "ten"}, "amount ten is not a finite number"),
    ({"amount": ""}, "amount is missing"),
    ({"customer_id": " "}, "customer_id is missing"),
    ({"terminal_id": None}, "terminal_id is missing"),
    ({"transaction_id": None}, "transaction_id is missing"),
    ({"is_fraud": "2"}, "is_fraud 2 is not 0, 1 or missing"),
    ({"amount": "x", "is_fraud": "y"},
     "amount x is not a finite number; is_fraud y is not 0, 1 or missing"),
    ({"problem": "text is not UTF-8"}, "text is not UTF-8"),
]


def test_every_kind_of_bad_row_is_kept_with_its_reason(lakehouse: Lakehouse) -> None:
    land(lakehouse, [row for row, _ in BAD])
    counts = prepare.run(lakehouse, Settings())
    assert counts == {"rows": len(BAD), "silver": 0, "quarantine": len(BAD), "duplicates": 0}
    kept = rows_of(lakehouse, QUARANTINE)
    assert [row["reason"] for row in kept] == [reason for _, reason in BAD]
    for row, (given, _) in zip(kept, BAD, strict=True):
        expected = {**GOOD, **given}
        assert all(row[name] == expected[name] for name in TRANSACTION_COLUMNS)


def test_good_rows_become_typed(lakehouse: Lakehouse) -> None:
    labels = ["0", "1", "0.0", "1.0", "True", "false", "", None]
    land(lakehouse, [{"transaction_id": str(at), "is_fraud": label, "amount": "1e2"}
                     for at, label in enumerate(labels)])
    prepare.run(lakehouse, Settings())
    silver = rows_of(lakehouse, TRANSACTIONS)
    assert [row["is_fraud"] for row in silver] == [0, 1, 0, 1, 1, 0, None, None]
    assert {row["amount"] for row in silver} == {100.0}


TIMES = {
    "2024-01-01 10:00:00": 0, "2024-01-01T10:00:00Z": 0, "2024-01-01 12:00:00+02:00": 0,
    "2024-01-01T10:00:00.1239": 123, "2024-01-01": -36_000_000, "2023-10-29 01:30:00": None,
}


@pytest.mark.parametrize(("zone", "ansi"), [("UTC", "true"), ("Europe/Berlin", "false")])
def test_times_are_utc_to_the_millisecond_whatever_the_session_is_set_to(
        lakehouse: Lakehouse, zone: str, ansi: str) -> None:
    conf = lakehouse.spark.conf
    before = conf.get("spark.sql.session.timeZone"), conf.get("spark.sql.ansi.enabled")
    ten = 1_704_103_200_000
    try:
        conf.set("spark.sql.session.timeZone", zone)
        conf.set("spark.sql.ansi.enabled", ansi)
        land(lakehouse, [{"transaction_id": text, "event_time": text} for text in TIMES])
        prepare.run(lakehouse, Settings())
        rows = lakehouse.read(TRANSACTIONS).selectExpr("transaction_id",
                                                       "unix_millis(event_time) AS ms")
        found = {row["transaction_id"]: row["ms"] for row in rows.collect()}
    finally:
        conf.set("spark.sql.session.timeZone", str(before[0]))
        conf.set("spark.sql.ansi.enabled", str(before[1]))
    assert found == {text: 1_698_543_000_000 if after is None else ten + after
                     for text, after in TIMES.items()}


@pytest.mark.parametrize(("epoch", "text"), [("seconds", "1704103200.0"),
                                             ("milliseconds", "1704103200000")])
def test_times_may_be_counted_since_1970(lakehouse: Lakehouse, epoch: str, text: str) -> None:
    land(lakehouse, [{"event_time": text}, {"event_time": "9" * 30}, {"event_time": "soon"}])
    prepare.run(lakehouse, Settings(columns=Columns(epoch=epoch)))
    assert [row["event_time"].isoformat() for row in rows_of(lakehouse, TRANSACTIONS)] == [
        "2024-01-01T10:00:00"]
    assert all("is not a time" in row["reason"] for row in rows_of(lakehouse, QUARANTINE))


def test_of_rows_with_one_id_the_first_that_landed_wins(lakehouse: Lakehouse) -> None:
    land(lakehouse, [{"amount": "-1"}, {"amount": "2"}, {"amount": "3"}], "b.csv", minute=1)
    land(lakehouse, [{"amount": "4"}, {"transaction_id": " 1 ", "amount": "5"}], "z.csv", minute=0)
    counts = prepare.run(lakehouse, Settings())
    assert counts == {"rows": 5, "silver": 1, "quarantine": 1, "duplicates": 3}
    assert [row["amount"] for row in rows_of(lakehouse, TRANSACTIONS)] == [4.0]
    land(lakehouse, [{"amount": "6"}, {"transaction_id": "2"}], "a.csv", minute=2)
    counts = prepare.run(lakehouse, Settings())
    assert counts == {"rows": 7, "silver": 2, "quarantine": 1, "duplicates": 4}


def test_a_second_run_changes_nothing(lakehouse: Lakehouse) -> None:
    land(lakehouse, [{}, {}, {"amount": "x"}])
    first = prepare.run(lakehouse, Settings())
    versions = [lakehouse.version(table) for table in (TRANSACTIONS, QUARANTINE, DUPLICATES)]
    assert prepare.run(lakehouse, Settings()) == first
    assert versions == [lakehouse.version(table)
                        for table in (TRANSACTIONS, QUARANTINE, DUPLICATES)]


@pytest.mark.parametrize("done", [(QUARANTINE,), (QUARANTINE, DUPLICATES)])
def test_a_run_that_was_cut_off_is_completed_by_the_next(
        lakehouse: Lakehouse, done: tuple[Table, ...]) -> None:
    land(lakehouse, [{}, {"amount": "2"}, {"amount": "x"}, {"transaction_id": "2"}])
    expected = prepare.run(lakehouse, Settings())
    for table in (TRANSACTIONS, QUARANTINE, DUPLICATES):
        if table not in done:
            lakehouse.spark.sql(f"DELETE FROM {lakehouse.reference(table)}")
    assert prepare.run(lakehouse, Settings()) == expected
    assert [row["amount"] for row in rows_of(lakehouse, TRANSACTIONS)] == [10.5, 10.5]


def test_rows_that_are_in_no_table_stop_the_step(lakehouse: Lakehouse) -> None:
    land(lakehouse, [{}])
    prepare.run(lakehouse, Settings())
    lakehouse.merge(QUARANTINE, lakehouse.read(BRONZE_TRANSACTIONS).selectExpr(
        "'other.csv' AS source_file", "source_row", "'?' AS reason", *TRANSACTION_COLUMNS,
        "arrived_at", "ingested_at"))
    with pytest.raises(RowsLost, match="bronze has 1 rows, but .* are 1 \\+ 1 \\+ 0"):
        prepare.run(lakehouse, Settings())
