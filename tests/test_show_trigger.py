"""`show.py` and the step reject, as a user calls them on what a run has left."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from branchline import Lakehouse
from branchline.lakehouse.sets import sets_of
from branchline.table_sets import Manifest
from fraud_detection.settings import Settings
from fraud_detection.tables import SCORES
from support.processes import trigger
from tests.fraud_detection.landed import HEADER

pytestmark = pytest.mark.spark
BRANCH = ["--branch", "feature/rows"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shown")


@pytest.fixture(scope="module")
def told(store: str, connect: str, folder: Path) -> dict[str, str]:
    """The variables to call triggers with, after a run of a file that has a good and a bad row."""
    data = folder / "landed" / "some.csv"
    data.parent.mkdir()
    data.write_text(f"{HEADER}1,2018-04-01 10:00:00,c,t,1.5,0\n2,2018-04-01 10:00:00,c,t,-1,0\n")
    variables = {"MLFLOW_TRACKING_URI": store, "SPARK_REMOTE": connect}
    done = trigger("run", "fraud-training", *BRANCH, *tables(folder), "-P", "steps=ingest,prepare",
                   **variables)
    assert done.returncode == 0, done.stderr
    assert "with their rows: branchline show fraud-training silver.quarantine\n" in done.stdout
    data.unlink()  # what is shown are the tables
    return variables


def tables(folder: Path) -> list[str]:
    """The parameters that the tables depend on."""
    columns = folder / "columns.yml"
    columns.write_text("amount: amount\n")
    return ["-P", f"data={folder}/landed", "-P", f"lakehouse={folder}/lakehouse", "-P",
            f"columns={columns}"]


def test_rows_of_the_newest_run_s_tables_are_printed_and_nothing_else(
        told: dict[str, str]) -> None:
    done = trigger("show", "fraud-training", "silver.quarantine", *BRANCH, "--where",
                   "amount = '-1'", **told)
    assert done.returncode == 0, done.stderr
    assert "amount -1 is negative" in done.stdout
    assert done.stdout.endswith("1 of 1 row\n") and "experiment" not in done.stdout
    assert done.stderr == ""


def test_the_error_for_an_unknown_table_lists_the_known_ones_in_one_line(
        told: dict[str, str]) -> None:
    done = trigger("show", "fraud-training", "silver.quarantin", *BRANCH, **told)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "table 'silver.quarantin' is unknown to project fraud-training; expected" in line
    assert "silver.quarantine" in line


def test_an_invalid_condition_exits_with_2_and_one_line(told: dict[str, str]) -> None:
    done = trigger("show", "fraud-training", "silver.quarantine", *BRANCH, "--where", "amount >",
                   **told)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("show.py: parameter where is 'amount >'; expected an SQL condition")


def test_rows_that_should_not_be_there_are_moved_by_the_step_reject(
        told: dict[str, str], folder: Path) -> None:
    done = trigger("run", "fraud-training", "-e", "reject", *BRANCH, "-P", "where=amount >", "-P",
                   "reason=why", *tables(folder), **told)
    assert done.returncode == 2
    assert "parameter where is 'amount >'; expected an SQL condition" in done.stderr
    done = trigger("run", "fraud-training", "-e", "reject", *BRANCH, "-P", "where=amount > 1", "-P",
                   "reason=why", *tables(folder), **told)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^  reject +1 rows ", done.stdout, re.MULTILINE)
    assert "now run `-e featurize -P first_day=2018-04-01 -P last_day=2018-0" in done.stdout


def test_productions_rows_are_those_that_its_readers_see(
        told: dict[str, str], spark: Any, folder: Path) -> None:
    settings = Settings.from_arguments([
        "--schema", "production", "--data", f"{folder}/landed", "--columns",
        f"{folder}/columns.yml"])
    for number in (1, 2):
        here = Lakehouse(spark, f"{folder}/lakehouse", settings.tables_schema,
                         table_set=f"fraud_training_{number}")
        row = spark.createDataFrame([(f"transaction-{number}", "m/1", datetime(2018, 4, 1), "c",
                                      0.5, True, 0.4, False, None)], ", ".join(
            f"{column.name} {column.type}" for column in SCORES.columns))
        here.merge(SCORES, row)
        sets_of(here).add(Manifest(number, here.table_set, (SCORES.name,), number - 1))
        if number == 1:
            sets_of(here).mark_ready(here.table_set, here.schema)
    done = trigger("show", "fraud-training", "gold.scores", "--production", *tables(folder), **told)
    assert done.returncode == 0, done.stderr
    assert "transaction-1" in done.stdout and done.stdout.endswith("1 of 1 row\n")


def test_production_and_a_branch_are_not_asked_for_at_once(told: dict[str, str]) -> None:
    done = trigger("show", "fraud-training", "gold.scores", "--production", *BRANCH, **told)
    assert done.returncode == 2 and "--production and --branch: expected only one" in done.stderr
