"""`diff.py`, as a user calls it on the tables that two branches have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from branchline import Lakehouse
from branchline.branch import named
from fraud_detection.tables import QUARANTINE, TRANSACTIONS
from support.processes import trigger

pytestmark = pytest.mark.spark
BRANCH = "feature/less"
ROW = ("'{id}' transaction_id, TIMESTAMP'2018-04-01 10:00:00' event_time, 'c' customer_id, "
       "'t' terminal_id, {amount}D amount, 0 is_fraud, 'f' source_file, {id}L source_row")


@pytest.fixture(scope="module")
def told(spark: Any, store: str, connect: str,
         tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables to call triggers with, and a first call; the branch lost a row of main's."""
    folder = tmp_path_factory.mktemp("compared") / "lakehouse"
    for branch, ids in (("main", (1, 2)), (BRANCH, (1,))):
        tables = Lakehouse(spark, str(folder), named(branch).schema)
        rows = " UNION ALL ".join(f"SELECT {ROW.format(id=id, amount=id)}" for id in ids)
        tables.merge(TRANSACTIONS, spark.sql(rows))
        tables.create(QUARANTINE)
    variables = {"MLFLOW_TRACKING_URI": store, "SPARK_REMOTE": connect}
    done = trigger("diff", "fraud-training", "--to", BRANCH, "-P", f"lakehouse={folder}",
                   "--fail-on", "schema", **variables)
    assert done.returncode == 0, done.stderr
    return variables


def test_the_tables_of_a_branch_are_compared_with_main_s(
        told: dict[str, str], tmp_path: Path) -> None:
    done = trigger("diff", "fraud-training", "--to", BRANCH, "--markdown",
                   str(tmp_path / "diff.md"), "--json", str(tmp_path / "diff.json"), **told)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and "experiment" not in done.stdout
    said = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "silver.transactions 2 1 1 0 0 same" in said
    assert "silver.quarantine 0 0 0 0 0 same" in said
    assert "1 of 2 tables differs from main to feature/less." in said
    assert "| silver.transactions | 2 | 1 | 1 | 0 | 0 | same |" in (
        tmp_path / "diff.md").read_text()
    content = json.loads((tmp_path / "diff.json").read_text())
    assert content["format"] == "difference/1"
    assert {table["name"]: table["differs_in"] for table in content["tables"]}[
        "silver.transactions"] == ["rows"]


def test_fail_on_exits_with_4_and_rows_are_shown_on_request(
        told: dict[str, str]) -> None:
    done = trigger("diff", "fraud-training", "silver.transactions", "--to", BRANCH, "--fail-on",
                   "rows", "--rows", "1", **told)
    assert done.returncode == 4
    assert "silver.transactions: some rows, only main" in done.stdout
    (line,) = done.stderr.splitlines()
    assert line == "diff.py: --fail-on rows: found differences in silver.transactions (rows)."


@pytest.mark.parametrize(("words", "line"), [
    (["silver.transaction"], "table 'silver.transaction' is unknown to project fraud-training"),
    (["--to", "feature/none"], "of the 13 tables is in schema main or feature_none_"),
    (["--from", "a..b"], "--from: 'a..b' cannot be a git branch")])
def test_tables_that_cannot_be_compared_exit_with_2_and_one_line(
        told: dict[str, str], words: list[str], line: str, tmp_path: Path) -> None:
    done = trigger("diff", "fraud-training", *words, "-P", f"lakehouse={tmp_path}", **told)
    assert done.returncode == 2 and done.stdout == ""
    assert line in done.stderr and len(done.stderr.splitlines()) == 1
