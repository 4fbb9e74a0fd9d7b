"""`diff.py`, as a user calls it on what runs of two branches have left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.processes import trigger
from tests.fraud_detection.landed import HEADER

pytestmark = pytest.mark.spark
TABLES = ["silver.transactions", "silver.quarantine", "silver.duplicates"]


@pytest.fixture(scope="module")
def told(store: str, connect: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables to call triggers with, after runs of main and of a branch that lost a row."""
    folder = tmp_path_factory.mktemp("compared")
    data = folder / "landed" / "some.csv"
    data.parent.mkdir()
    (folder / "columns.yml").write_text("amount: amount\n")
    where = [f"data={folder}/landed", f"lakehouse={folder}/lakehouse",
             f"columns={folder}/columns.yml"]
    given = [word for each in where for word in ("-P", each)]
    variables = {"MLFLOW_TRACKING_URI": store, "SPARK_REMOTE": connect}
    data.write_text(f"{HEADER}1,2018-04-01 10:00:00,c,t,1.5,0\n2,2018-04-01 10:00:00,c,t,2,0\n")
    for branch, steps, *more in (
            ("main", "ingest,prepare"), ("feature/less", "ingest,prepare"),
            ("feature/less", "reject", "-P", "where=amount = 2", "-P", "reason=why")):
        done = trigger("run", "fraud-training", "--branch", branch, *given, "-P", f"steps={steps}",
                       *more, **variables)
        assert done.returncode == 0, done.stderr
    return variables


def test_the_tables_of_a_branch_are_compared_with_main_s(
        told: dict[str, str], tmp_path: Path) -> None:
    done = trigger("diff", "fraud-training", "--to", "feature/less", "--markdown",
                   str(tmp_path / "diff.md"), "--json", str(tmp_path / "diff.json"), **told)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and "experiment" not in done.stdout
    said = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "silver.transactions 2 1 1 0 0 same" in said
    assert "silver.quarantine 0 1 0 1 0 same" in said
    assert "bronze.transactions 2 2 0 0 0 same" in said
    assert "2 of 5 tables differ from main to feature/less." in said
    assert "| silver.transactions | 2 | 1 | 1 | 0 | 0 | same |" in (
        tmp_path / "diff.md").read_text()
    content = json.loads((tmp_path / "diff.json").read_text())
    assert content["format"] == "difference/1"
    assert {table["name"]: table["differs_in"] for table in content["tables"]}[
        "silver.transactions"] == ["rows"]


def test_what_is_not_to_differ_ends_with_4_and_rows_are_shown_on_request(
        told: dict[str, str]) -> None:
    done = trigger("diff", "fraud-training", *TABLES, "--to", "feature/less", "--fail-on", "rows",
                   "--rows", "1", **told)
    assert done.returncode == 4
    assert "silver.transactions: some rows, only main" in done.stdout
    (line,) = done.stderr.splitlines()
    assert line == ("diff.py: --fail-on rows: found differences in silver.transactions (rows); "
                    "silver.quarantine (rows).")


@pytest.mark.parametrize(("words", "line"), [
    (["silver.transaction"], "table 'silver.transaction' is unknown to project fraud-training"),
    (["--to", "feature/none"], "of 9 tables is in schema main or feature_none_"),
    (["--from", "a..b"], "--from: 'a..b' cannot be a git branch")])
def test_what_cannot_be_compared_ends_with_2_and_one_line(
        told: dict[str, str], words: list[str], line: str) -> None:
    done = trigger("diff", "fraud-training", *words, "-P", "lakehouse=/tmp/nowhere/at/all", **told)
    assert done.returncode == 2 and done.stdout == ""
    assert line in done.stderr and len(done.stderr.splitlines()) == 1
