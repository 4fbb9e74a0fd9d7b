from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from branchline import BadInput, Lakehouse
from branchline.lakehouse.appends import append_once
from fraud_detection.data import moves
from fraud_detection.data.repair import repair
from fraud_detection.settings import Settings
from fraud_detection.steps import prepare, reject
from fraud_detection.tables import (BRONZE_TRANSACTIONS, QUARANTINE, TRANSACTION_COLUMNS,
                                    TRANSACTIONS)
from tests.fraud_detection.bronze import bronze
from tests.tables import contents, copied

pytestmark = pytest.mark.spark
SETTINGS = Settings(where="source_file = 'b.csv'", reason="a test's file\n")
COUNTS = {"rows": 5, "silver": 1, "quarantine": 3, "duplicates": 1}


@pytest.fixture(scope="module")
def placed(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """Silver has one row of a.csv and two of b.csv; each other table has one."""
    lakehouse = Lakehouse(spark, str(tmp_path_factory.mktemp("placed")), "a_branch")
    lakehouse.merge(BRONZE_TRANSACTIONS, bronze(spark, [{"amount": "1e1"}, {"amount": "-1"}]).union(
        bronze(spark, [{"transaction_id": " 2", "amount": "1e2"}, {"transaction_id": "3"}, {}],
               "b.csv", minute=1)))
    assert prepare.run(lakehouse, Settings()) == {**COUNTS, "silver": 3, "quarantine": 1}
    return lakehouse


@pytest.fixture
def lakehouse(placed: Lakehouse, tmp_path: Path) -> Lakehouse:
    return copied(placed, tmp_path)


@pytest.fixture(scope="module")
def moved(placed: Lakehouse, tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """The tables after b.csv's rows were moved, once."""
    lakehouse = copied(placed, tmp_path_factory.mktemp("moved"))
    assert reject.run(lakehouse, SETTINGS) == {"rows": 2}
    return lakehouse


def test_rows_are_moved_as_they_landed_with_the_reason(moved: Lakehouse) -> None:
    found = moved.read(QUARANTINE).where("source_file = 'b.csv'").orderBy("source_row")
    assert [row["reason"] for row in found.collect()] == ["moved: a test's file"] * 2
    landed = moved.read(BRONZE_TRANSACTIONS).where("source_file = 'b.csv' AND source_row < 3")
    names = ["source_row", *TRANSACTION_COLUMNS, "arrived_at", "ingested_at"]
    assert found.select(names).collect() == landed.orderBy("source_row").select(names).collect()
    assert [row["source_file"] for row in moved.read(TRANSACTIONS).collect()] == ["a.csv"]


def test_the_sums_hold_and_later_files_are_placed_as_before(
        moved: Lakehouse, tmp_path: Path) -> None:
    lakehouse = copied(moved, tmp_path)
    assert prepare.run(lakehouse, Settings(verify="true")) == COUNTS
    lakehouse.merge(BRONZE_TRANSACTIONS, bronze(lakehouse.spark, [{"transaction_id": "new"}],
                                                "c.csv", minute=2))
    assert prepare.run(lakehouse, Settings(verify="true")) == {**COUNTS, "rows": 6, "silver": 2}


class Killed(Exception):
    """Stands for SIGKILL."""


@pytest.mark.parametrize("next_is", ["reject", "prepare"])
@pytest.mark.parametrize("appended", [False, True])
def test_an_interrupted_move_is_finished_by_the_next_run(lakehouse: Lakehouse, moved: Lakehouse,
                                                         monkeypatch: pytest.MonkeyPatch,
                                                         appended: bool, next_is: str) -> None:
    def append(*rest: Any, **note: str) -> None:
        if appended:
            append_once(*rest, **note)
        raise Killed()

    with monkeypatch.context() as patch:
        patch.setattr(moves, "append_once", append)
        with pytest.raises(Killed):
            reject.run(lakehouse, SETTINGS)
    if next_is == "prepare":
        after = prepare.run(lakehouse, Settings())
        assert after == (COUNTS if appended else {**COUNTS, "silver": 3, "quarantine": 1})
    assert reject.run(lakehouse, SETTINGS) == {
        "rows": 0 if appended and next_is == "prepare" else 2}
    assert contents(lakehouse) == contents(moved)


def test_if_no_row_matches_nothing_is_moved_and_a_line_says_so(
        lakehouse: Lakehouse, placed: Lakehouse, caplog: pytest.LogCaptureFixture) -> None:
    version = lakehouse.version(QUARANTINE)
    assert reject.run(lakehouse, Settings(where="amount > 1e6", reason="none")) == {"rows": 0}
    assert caplog.messages == [
        "no row of silver.transactions meets the condition; nothing was moved"]
    assert lakehouse.version(QUARANTINE) == version


def test_moves_can_follow_each_other_and_match_the_same_rows_again(lakehouse: Lakehouse) -> None:
    moves_of = [("transaction_id = '3'", 1), ("amount < 1000", 2), ("amount < 1000", 0)]
    assert [reject.run(lakehouse, Settings(where=where, reason="why"))["rows"]
            for where, _ in moves_of] == [rows for _, rows in moves_of]
    assert prepare.run(lakehouse, Settings(verify="true")) == {
        **COUNTS, "silver": 0, "quarantine": 4}


def test_the_next_commands_are_printed_with_the_affected_days(
        lakehouse: Lakehouse, caplog: pytest.LogCaptureFixture) -> None:
    reject.run(lakehouse, Settings(where="transaction_id = '3'", reason="why"))
    (said,) = caplog.messages
    assert "rows of 2024-01-01 to 2024-01-01 are in quarantine" in said
    assert "-e featurize -P first_day=2024-01-01 -P last_day=2024-0" in said


@pytest.mark.parametrize(("where", "reason", "line"), [
    ("", "why", "parameter where is empty; expected an SQL condition"),
    ("amount > 1", " ", "parameter reason is empty"),
    ("amount > > 1", "why", "parameter where is 'amount > > 1'; expected an SQL condition"),
    ("no_such_column = 1", "why", "no_such_column"),
    ("amount", "why", "parameter where is 'amount'; expected"),
    ("amount = 'ten'", "why", "parameter where is \"amount = 'ten'\"; expected"),
])
def test_a_condition_that_cannot_be_used_is_one_line_and_moves_nothing(
        placed: Lakehouse, where: str, reason: str, line: str) -> None:
    versions = [placed.version(table) for table in (QUARANTINE, TRANSACTIONS)]
    with pytest.raises(BadInput) as refused:
        reject.run(placed, Settings(where=where, reason=reason))
    assert line in str(refused.value) and "\n" not in str(refused.value)
    assert versions == [placed.version(table) for table in (QUARANTINE, TRANSACTIONS)]


def test_repair_says_that_rows_moved_by_hand_come_back(moved: Lakehouse, tmp_path: Path) -> None:
    lakehouse = copied(moved, tmp_path)
    lakehouse.spark.sql(f"DELETE FROM {lakehouse.reference(TRANSACTIONS)}")
    assert repair(lakehouse)[-1].startswith("2 rows that were moved to quarantine by hand will be")
