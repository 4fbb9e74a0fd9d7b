from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from branchline.errors import RowsLost
from branchline import Lakehouse, Table
from fraud_detection.data.tables import (BRONZE_TRANSACTIONS, DUPLICATES, QUARANTINE,
                                         TRANSACTION_COLUMNS, TRANSACTIONS)
from fraud_detection.settings import Settings
from fraud_detection.steps import prepare
from tests.fraud_detection.bronze import BAD, GOOD, TEN, Rows, bronze, session_set_to
from tests.tables import contents, copied

pytestmark = pytest.mark.spark
PLACES = (TRANSACTIONS, QUARANTINE, DUPLICATES)


def rows_of(lakehouse: Lakehouse, table: Table, file: str) -> list[dict[str, Any]]:
    found = lakehouse.read(table).where(f"source_file = '{file}'").orderBy("source_row")
    return [row.asDict() for row in found.collect()]


LABELS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "True": 1, "false": 0, "": None, None: None}


@pytest.fixture(scope="module")
def placed(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """What the step makes of bad rows, of good ones, and of two files that share an id."""
    lakehouse = Lakehouse(spark, str(tmp_path_factory.mktemp("placed")), "a_branch")
    good: Rows = [{"transaction_id": f"g{at}", "is_fraud": label, "amount": "1e2"}
                  for at, label in enumerate(LABELS)]
    late: Rows = [{"amount": "-1"}, {"amount": "2"}, {"amount": "3"}]
    early: Rows = [{"amount": "4"}, {"transaction_id": " 1 ", "amount": "5"}]
    lakehouse.merge(BRONZE_TRANSACTIONS, bronze(spark, [row for row, _ in BAD], "bad.csv").union(
        bronze(spark, good, "good.csv")).union(bronze(spark, late, "b.csv", minute=1)).union(
        bronze(spark, early, "z.csv", minute=0)))
    assert prepare.run(lakehouse, Settings()) == COUNTS
    return lakehouse


COUNTS = {"rows": len(BAD) + len(LABELS) + 5, "silver": len(LABELS) + 1,
          "quarantine": len(BAD) + 1, "duplicates": 3}


@pytest.fixture
def lakehouse(placed: Lakehouse, tmp_path: Path) -> Lakehouse:
    return copied(placed, tmp_path)


def test_every_kind_of_bad_row_is_kept_with_its_reason(placed: Lakehouse) -> None:
    kept = rows_of(placed, QUARANTINE, "bad.csv")
    assert [row["reason"] for row in kept] == [reason for _, reason in BAD]
    for row, (given, _) in zip(kept, BAD, strict=True):
        expected = {**GOOD, **given}
        assert all(row[name] == expected[name] for name in TRANSACTION_COLUMNS)


def test_good_rows_become_typed(placed: Lakehouse) -> None:
    silver = rows_of(placed, TRANSACTIONS, "good.csv")
    assert [row["is_fraud"] for row in silver] == list(LABELS.values())
    assert {row["amount"] for row in silver} == {100.0}


def test_of_rows_with_one_id_the_first_that_landed_wins(placed: Lakehouse) -> None:
    assert rows_of(placed, TRANSACTIONS, "b.csv") == []
    assert [row["amount"] for row in rows_of(placed, TRANSACTIONS, "z.csv")] == [4.0]
    assert [row["amount"] for row in rows_of(placed, DUPLICATES, "z.csv")] == ["5"]
    assert [row["amount"] for row in rows_of(placed, DUPLICATES, "b.csv")] == ["2", "3"]


def test_an_id_that_silver_has_is_a_duplicate_in_a_later_file_whatever_the_session_is_set_to(
        lakehouse: Lakehouse) -> None:
    later = bronze(lakehouse.spark, [{"amount": "6"}, {"transaction_id": "2"}], minute=2)
    lakehouse.merge(BRONZE_TRANSACTIONS, later)
    with session_set_to(lakehouse.spark, "Europe/Berlin", "false"):
        assert prepare.run(lakehouse, Settings()) == {
            **COUNTS, "rows": COUNTS["rows"] + 2, "silver": COUNTS["silver"] + 1, "duplicates": 4}
    assert [row["amount"] for row in rows_of(lakehouse, DUPLICATES, "a.csv")] == ["6"]
    silver = lakehouse.read(TRANSACTIONS).where("source_file = 'a.csv'")
    assert [tuple(row) for row in silver.selectExpr(
        "transaction_id", "unix_millis(event_time)").collect()] == [("2", TEN)]


def test_a_second_run_changes_nothing(placed: Lakehouse) -> None:
    versions = [placed.version(table) for table in PLACES]
    assert prepare.run(placed, Settings()) == COUNTS
    assert versions == [placed.version(table) for table in PLACES]


@pytest.mark.parametrize("undone", [(TRANSACTIONS, DUPLICATES), (TRANSACTIONS,)])
def test_a_run_that_was_cut_off_is_completed_by_the_next(
        placed: Lakehouse, lakehouse: Lakehouse, undone: tuple[Table, ...]) -> None:
    for table in undone:
        lakehouse.spark.sql(f"DELETE FROM {lakehouse.reference(table)}")
    assert prepare.run(lakehouse, Settings()) == COUNTS
    assert contents(lakehouse) == contents(placed)


def test_rows_that_are_in_no_table_stop_the_step(lakehouse: Lakehouse) -> None:
    stray = lakehouse.read(QUARANTINE).limit(1).drop("source_file").selectExpr(
        "'other.csv' AS source_file", "*")
    lakehouse.merge(QUARANTINE, stray)
    found = f"bronze has {COUNTS['rows']} rows, but .* are {COUNTS['silver']} \\+ "
    with pytest.raises(RowsLost, match=f"{found}{COUNTS['quarantine'] + 1} \\+ 3"):
        prepare.run(lakehouse, Settings())
