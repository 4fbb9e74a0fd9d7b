"""`show.py` and the step reject, as a user calls them on what a run has left."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.processes import trigger
from tests.fraud_detection.landed import HEADER

pytestmark = pytest.mark.spark
BRANCH = ["--branch", "feature/rows"]


@pytest.fixture(scope="module")
def told(store: str, connect: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables to call triggers with, after a run of a file that has a good and a bad row."""
    folder = tmp_path_factory.mktemp("shown")
    data = folder / "some.csv"
    data.write_text(f"{HEADER}1,2018-04-01 10:00:00,c,t,1.5,0\n2,2018-04-01 10:00:00,c,t,-1,0\n")
    variables = {"MLFLOW_TRACKING_URI": store, "SPARK_REMOTE": connect}
    done = trigger("run", "fraud-training", *BRANCH, "-P", "steps=ingest,prepare", "-P",
                   f"data={data}", "-P", f"lakehouse={folder}/lakehouse", "-P",
                   f"columns={no_names(folder)}", **variables)
    assert done.returncode == 0, done.stderr
    assert "with their rows: branchline show fraud-training silver.quarantine\n" in done.stdout
    data.unlink()  # what is shown are the tables
    return variables


def no_names(folder: Path) -> Path:
    file = folder / "columns.yml"
    file.write_text("amount: amount\n")
    return file


def test_rows_of_the_newest_run_s_tables_are_printed_and_nothing_else(
        told: dict[str, str]) -> None:
    done = trigger("show", "fraud-training", "silver.quarantine", *BRANCH, "--where",
                   "amount = '-1'", **told)
    assert done.returncode == 0, done.stderr
    assert "amount -1 is negative" in done.stdout
    assert done.stdout.endswith("1 of 1 row\n") and "experiment" not in done.stdout
    assert "experiment  /branchline/fraud-training/feature-rows-" in done.stderr


def test_a_table_that_is_none_is_told_in_one_line_with_those_that_there_are(
        told: dict[str, str]) -> None:
    done = trigger("show", "fraud-training", "silver.quarantin", *BRANCH, **told)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "table 'silver.quarantin' is unknown to project fraud-training; expected" in line
    assert "silver.quarantine" in line


def test_a_condition_that_is_none_ends_with_2_and_one_line(told: dict[str, str]) -> None:
    done = trigger("show", "fraud-training", "silver.quarantine", *BRANCH, "--where", "amount >",
                   **told)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith(
        "show.py: parameter where is 'amount >'; expected an SQL condition")
    assert "Traceback" not in done.stderr
