"""The pipeline on simulated transactions, again, with a day more, and by its trigger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from branchline import Lakehouse
from branchline.gate.outcomes import ARTIFACT, Outcomes
from branchline.gate.paired import paired
from branchline.runs.artifacts import artifact
from fraud_detection.data.landed_columns import Columns
from fraud_detection.data.simulator import write
from fraud_detection.data.world import World
from fraud_detection.tables import TRANSACTIONS
from support.clone import ROOT, clone
from support.processes import trigger
from terminal_watch.pipeline import PIPELINE
from terminal_watch.settings import Settings
from terminal_watch.steps import measure, watch
from terminal_watch.steps.watch import listed
from terminal_watch.tables import WATCHED_TERMINALS
from tests.tables import Watched

pytestmark = pytest.mark.spark

COLUMNS = ROOT / "mlflow-notebooks" / "terminal-watch" / "columns.yml"
CALENDAR = "%Y-%m-%d"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a world with 9 compromised terminals, some of them found."""
    folder = tmp_path_factory.mktemp("watched") / "landing"
    write(World(customers=250, terminals=500, days=60, seed=1), folder, files=2)
    return Settings(data=str(folder), columns=Columns.read(COLUMNS),
                    lakehouse=str(folder.parent / "lakehouse"))


@pytest.fixture(scope="module")
def finished(spark: Any, store: str, settings: Settings) -> Iterator[tuple[Lakehouse, Any]]:
    """The tables after the whole pipeline, and the MLflow run that it logged to."""
    import mlflow
    lakehouse = Lakehouse(spark, settings.lakehouse, settings.tables_schema)
    mlflow.set_tracking_uri(store)
    experiment = mlflow.create_experiment(settings.lakehouse,
                                          (Path(settings.data).parent / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=experiment) as active:
        for step in PIPELINE.asked(settings):
            step.run(lakehouse, settings)
    yield lakehouse, mlflow.get_run(active.info.run_id)


def test_a_run_writes_lists_kpis_pictures_and_a_page(
        finished: tuple[Lakehouse, Any], settings: Settings) -> None:
    import mlflow
    lakehouse, run = finished
    rows = listed(lakehouse, settings)
    assert len(rows) > 20 and rows["evidence"].str.contains("known fraud").all()
    assert (rows["day"] - rows["last_fraud"]).min() >= pd.Timedelta(days=settings.label_delay_days)
    assert {"precision", "found_share", "days_to_find", "money_share", "money_stopped",
            "alerts_a_day", "listed_a_day", "compromised"} <= run.data.metrics.keys()
    assert run.data.metrics["found_share"] > 0
    names = [each.path for each in mlflow.MlflowClient().list_artifacts(run.info.run_id, "measure")]
    assert {f"measure/{name}" for name in ("report.html", "by_day.png", "days_to_find.png",
                                           "newest_list.png", "by_day.csv")} == set(names)


def test_the_outcomes_that_a_run_logs_for_the_gate_give_its_kpis(
        finished: tuple[Lakehouse, Any]) -> None:
    lakehouse, run = finished
    content = artifact(run, ARTIFACT)
    assert content
    found = Outcomes.from_parquet(content)
    kpis = {each.name: each.candidate for each in paired(found, None, 100, 0)}
    assert kpis == pytest.approx({name: run.data.metrics[name] for name in kpis})
    assert found.inputs == {"silver.transactions": lakehouse.snapshot(TRANSACTIONS)}
    assert found.data and found.data.positives > 100


def test_a_second_run_writes_nothing(finished: tuple[Lakehouse, Any], settings: Settings) -> None:
    lakehouse, _ = finished
    before, rows = lakehouse.version(WATCHED_TERMINALS), listed(lakehouse, settings)
    counts = watch.run(lakehouse, settings)
    assert counts["written_days"] == 0 and counts["rows"] == len(rows)
    assert lakehouse.version(WATCHED_TERMINALS) == before


def test_a_run_that_measures_again_reads_and_writes_what_its_steps_declare(
        finished: tuple[Lakehouse, Any], settings: Settings, run: Any) -> None:
    for step in (watch.step, measure.step):
        watched: Any = Watched(finished[0])
        step.run(watched, settings)
        assert watched.touched == {table.name for table in (*step.reads, *step.writes)}


def test_only_the_lists_of_new_or_changed_days_are_written(
        finished: tuple[Lakehouse, Any], settings: Settings, tmp_path: Path) -> None:
    lakehouse, _ = finished
    there = Lakehouse(lakehouse.spark, str(tmp_path), "a_branch")
    silver = lakehouse.read(TRANSACTIONS)
    there.overwrite(TRANSACTIONS, silver.where("event_time < '2018-05-30'"), "true")
    watch.run(there, settings)
    before = listed(there, settings)
    there.merge(TRANSACTIONS, silver.where("event_time < '2018-05-31'"))
    assert watch.run(there, settings)["written_days"] == 1
    after = listed(there, settings)
    assert after["day"].max().strftime(CALENDAR) == "2018-05-31"
    pd.testing.assert_frame_equal(*(each.sort_values(["day", "rank"], ignore_index=True) for each in
                                    (before, after[after["day"] < "2018-05-31"])))
    late = silver.where("event_time < '2018-05-31'").limit(1).selectExpr("* EXCEPT (" + ", ".join(
        ("transaction_id", "event_time", "terminal_id", "is_fraud")) + ")")
    rows = late.selectExpr("*", "explode(array('x', 'y')) AS transaction_id",
                           "timestamp'2018-05-20 12:00:00' AS event_time", "'0' AS terminal_id",
                           "1 AS is_fraud")
    there.merge(TRANSACTIONS, rows)
    assert 0 < watch.run(there, settings)["written_days"] <= 4
    new = listed(there, settings).merge(after, "left", ["day", "terminal_id"], indicator=True)
    assert new[new["_merge"] == "left_only"]["day"].min().strftime(CALENDAR) == "2018-05-28"


def test_first_and_last_day_bound_what_is_written(
        finished: tuple[Lakehouse, Any], settings: Settings, tmp_path: Path) -> None:
    there = Lakehouse(finished[0].spark, str(tmp_path), "a_branch")
    there.overwrite(TRANSACTIONS, finished[0].read(TRANSACTIONS), "true")
    day = listed(finished[0], settings)["day"].max().date()
    watch.run(there, replace(settings, first_day=day, last_day=day))
    assert set(listed(there, settings)["day"].dt.date) == {day}


def test_the_trigger_runs_the_project_from_a_clone(settings: Settings, store: str,
                                                   tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    done = trigger("run", "terminal-watch", "--on", "local", "-P", f"data={settings.data}",
                   folder=folder, MLFLOW_TRACKING_URI=store, PYTHONPATH=str(folder / "src"))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "experiment  /branchline/terminal-watch/a-feature" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines() if " s   " in line] == [
        "spark", "ingest", "prepare", "watch", "measure"]
    assert "found_share" in done.stdout
    gate = trigger("gate", "terminal-watch", folder=folder, MLFLOW_TRACKING_URI=store,
                   PYTHONPATH=str(folder / "src"))
    assert gate.returncode == 0 and "found_share" in gate.stdout, gate.stdout + gate.stderr
