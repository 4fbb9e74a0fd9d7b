from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from branchline import Lakehouse, RowsLost, Table
from branchline.lakehouse.appends import append_once
from fraud_detection.data import bronze_to_silver
from fraud_detection.settings import Settings
from fraud_detection.steps import prepare
from fraud_detection.tables import (BRONZE_TRANSACTIONS, DUPLICATES, QUARANTINE,
                                    TRANSACTION_COLUMNS, TRANSACTIONS)
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


def test_the_first_landed_row_of_an_id_wins(placed: Lakehouse) -> None:
    assert rows_of(placed, TRANSACTIONS, "b.csv") == []
    assert [row["amount"] for row in rows_of(placed, TRANSACTIONS, "z.csv")] == [4.0]
    assert [row["amount"] for row in rows_of(placed, DUPLICATES, "z.csv")] == ["5"]
    assert [row["amount"] for row in rows_of(placed, DUPLICATES, "b.csv")] == ["2", "3"]


def test_an_id_in_silver_is_a_duplicate_in_a_later_file_whatever_the_sessions_settings(
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


@pytest.fixture
def unplaced(spark: Any, placed: Lakehouse, tmp_path: Path) -> Lakehouse:
    """The same bronze rows, none of them placed yet."""
    lakehouse = Lakehouse(spark, str(tmp_path), placed.schema)
    shutil.copytree(Path(placed.root, placed.schema, "bronze"),
                    Path(tmp_path, placed.schema, "bronze"))
    return lakehouse


class Killed(Exception):
    """Stands for SIGKILL."""


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("appended", range(3))
def test_an_interrupted_batch_is_completed_by_the_next_run(placed: Lakehouse, unplaced: Lakehouse,
                                                           monkeypatch: pytest.MonkeyPatch,
                                                           appended: int, late: bool) -> None:
    done: list[Table] = []

    def append(lakehouse: Lakehouse, table: Table, *rest: Any, **note: str) -> str:
        if late and len(done) < 3 or len(done) < appended:
            token = append_once(lakehouse, table, *rest, **note)
        if len(done) == appended:
            raise Killed()
        done.append(table)
        return token

    with monkeypatch.context() as patch:
        patch.setattr(bronze_to_silver, "append_once", append)
        with pytest.raises(Exception, match="Killed"):
            prepare.run(unplaced, Settings())
    assert prepare.run(unplaced, Settings()) == COUNTS
    assert contents(unplaced) == contents(placed)


@pytest.mark.parametrize("comes", ["_appended", "_append_repeated", "_append"])
def test_a_killed_runs_late_append_to_silver_makes_no_duplicates(placed: Lakehouse,
                                                                 unplaced: Lakehouse,
                                                                 monkeypatch: pytest.MonkeyPatch,
                                                                 comes: str) -> None:
    """It comes before the next run has looked, once it has, or when it appends by itself."""
    left: list[Any] = []

    def killed(lakehouse: Lakehouse, table: Table, *rest: Any, **note: str) -> str:
        if table is TRANSACTIONS:
            left.append(((lakehouse, table, *rest), note))
            raise Killed()
        return append_once(lakehouse, table, *rest, **note)

    with monkeypatch.context() as patch:
        patch.setattr(bronze_to_silver, "append_once", killed)
        with pytest.raises(Exception, match="Killed"):
            prepare.run(unplaced, Settings())
    as_it_is = getattr(bronze_to_silver.Placing, comes)

    def late(placing: Any, *arguments: Any) -> Any:
        while left:
            earlier, note = left.pop()
            append_once(*earlier, **note)
        return as_it_is(placing, *arguments)

    monkeypatch.setattr(bronze_to_silver.Placing, comes, late)
    assert prepare.run(unplaced, Settings()) == COUNTS
    assert contents(unplaced) == contents(placed)


def test_deleted_silver_is_rebuilt(placed: Lakehouse, lakehouse: Lakehouse) -> None:
    shutil.rmtree(Path(lakehouse.root, lakehouse.schema, "silver"))
    assert prepare.run(lakehouse, Settings()) == COUNTS
    assert contents(lakehouse) == contents(placed)


def test_a_lost_checkpoint_places_no_row_twice(lakehouse: Lakehouse) -> None:
    shutil.rmtree(lakehouse.area("checkpoints"))
    assert prepare.run(lakehouse, Settings()) == COUNTS
    lakehouse.merge(BRONZE_TRANSACTIONS, bronze(lakehouse.spark, [{"transaction_id": "new"}],
                                                "new.csv", minute=3))
    for _ in range(2):
        assert prepare.run(lakehouse, Settings()) == {
            **COUNTS, "rows": COUNTS["rows"] + 1, "silver": COUNTS["silver"] + 1}


def test_one_missing_table_stops_the_step_with_the_remedy(lakehouse: Lakehouse) -> None:
    shutil.rmtree(Path(lakehouse.root, lakehouse.schema, "silver", "duplicates"))
    with pytest.raises(RowsLost, match="silver.duplicates is gone.* step repair"):
        prepare.run(lakehouse, Settings())


def test_a_replaced_bronze_stops_the_step_with_the_remedy(spark: Any, lakehouse: Lakehouse) -> None:
    shutil.rmtree(Path(lakehouse.root, lakehouse.schema, "bronze"))
    for minute in range(3):
        lakehouse.merge(BRONZE_TRANSACTIONS, bronze(spark, [{}], f"{minute}.csv", minute))
    with pytest.raises(RowsLost, match="step repair"):
        prepare.run(lakehouse, Settings())


def test_the_most_common_reasons_are_reported_with_an_example_and_a_hint(
        spark: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lakehouse = Lakehouse(spark, str(tmp_path), "a_branch")
    counted: Rows = [{"event_time": f"170410320{at}"} for at in range(9)]
    lakehouse.merge(BRONZE_TRANSACTIONS, bronze(spark, [*counted, {"amount": "-1"}]))
    prepare.run(lakehouse, Settings())
    assert [record.getMessage() for record in caplog.records] == [
        "quarantine: 9 rows: event_time ... is not a time "
        "(such as: event_time 1704103200 is not a time)",
        "quarantine: 1 row: amount ... is negative (such as: amount -1 is negative)",
        "times look like seconds or milliseconds since 1970: give their unit in the columns "
        "file, `event_time: "
        "{column: NAME, epoch: seconds}` (or milliseconds)",
        "all of them, with their rows: branchline show PROJECT silver.quarantine"]


def test_rows_that_are_in_no_table_stop_the_step(lakehouse: Lakehouse) -> None:
    stray = lakehouse.read(QUARANTINE).limit(1).drop("source_file").selectExpr(
        "'other.csv' AS source_file", "*")
    lakehouse.merge(QUARANTINE, stray)
    found = f"bronze has {COUNTS['rows']} rows, but .* are {COUNTS['silver']} \\+ "
    with pytest.raises(RowsLost, match=f"{found}{COUNTS['quarantine'] + 1} \\+ 3"):
        prepare.run(lakehouse, Settings())


VERIFIED = Settings(verify="true")


def test_verify_counts_by_reading_the_rows(placed: Lakehouse) -> None:
    assert prepare.run(placed, VERIFIED) == COUNTS


@pytest.mark.parametrize(("statement", "found"), [
    ("DELETE FROM {silver} WHERE source_file = 'z.csv'",
     "1 keys of bronze are in no table .such as row 1 of z.csv."),
    ("UPDATE {silver} SET source_file = 'x.csv' WHERE source_file = 'z.csv'",
     "1 keys of silver, quarantine or duplicates are not in bronze .such as row 1 of x.csv."),
    ("UPDATE {silver} SET source_file = 'b.csv' WHERE source_file = 'z.csv'",
     "1 keys are in more than one table, or twice in one .such as row 1 of b.csv."),
    ("UPDATE {silver} SET transaction_id = '1' WHERE transaction_id = 'g0'",
     "1 ids are in silver more than once .such as 1."),
])
def test_verify_finds_errors_even_if_the_sums_hold(
        lakehouse: Lakehouse, statement: str, found: str) -> None:
    lakehouse.spark.sql(statement.format(silver=lakehouse.reference(TRANSACTIONS)))
    with pytest.raises(RowsLost, match=f"verify found that .*{found}.*step repair"):
        prepare.run(lakehouse, VERIFIED)
