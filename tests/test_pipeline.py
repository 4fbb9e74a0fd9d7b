"""The whole pipeline on simulated transactions: here, again, and on Spark Connect."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from branchline import Lakehouse, Step
from fraud_detection.model.estimators import inputs
from fraud_detection.pipeline import PIPELINE
from fraud_detection.tables import TRANSACTIONS
from support.processes import Project
from tests.tables import Watched, contents, newest_model

pytestmark = pytest.mark.spark

Contents = dict[str, list[tuple[Any, ...]]]
Again = dict[str, tuple[Mapping[str, int], set[str]]]


def test_every_table_is_filled_and_adds_up(finished: Lakehouse, expected: Contents) -> None:
    rows = {name: len(found) for name, found in expected.items()}
    assert rows["bronze.transactions"] == rows["silver.transactions"] > 5000
    assert rows["silver.quarantine"] == rows["silver.duplicates"] == 0
    test_days = finished.read(TRANSACTIONS).where("event_time >= '2018-05-04'").count()
    assert rows["gold.scores"] == test_days > 0
    columns = len(inputs("hist_gradient_boosting", "full")) + 1  # and the score
    assert rows["gold.daily_kpis"] == 7 and rows["gold.monitoring"] == columns


@pytest.fixture(scope="module")
def again(finished: Lakehouse, expected: Contents, arguments: list[str], store: str,
          tmp_path_factory: pytest.TempPathFactory) -> Again:
    """All steps but train once more: by step its counts, and the tables that it touched."""
    import mlflow
    settings = PIPELINE.read([*arguments, "--lakehouse", finished.root,
                              "--model_uri", newest_model(finished)])
    mlflow.set_tracking_uri(store)
    folder = tmp_path_factory.mktemp("again")
    found = {}
    with mlflow.start_run(experiment_id=mlflow.create_experiment(str(folder), folder.as_uri())):
        for step in PIPELINE.asked(settings):
            if step.name != "train":
                watched: Any = Watched(finished)
                found[step.name] = (step.run(watched, settings), watched.touched)
    return found


def test_a_second_run_changes_no_table(finished: Lakehouse, expected: Contents,
                                       again: Again) -> None:
    assert again["ingest"][0]["rows"] == 0
    assert contents(finished) == expected


@pytest.mark.parametrize("step", [step for step in PIPELINE.steps
                                  if step.name != "train" and not step.on_request],
                         ids=lambda step: step.name)
def test_a_step_reads_and_writes_the_tables_that_it_declares(step: Step, again: Again) -> None:
    assert again[step.name][1] == {table.name for table in (*step.reads, *step.writes)}


def test_the_run_has_metrics_pictures_and_a_model_that_says_what_it_was_made_from(
        finished: Lakehouse, store: str) -> None:
    import mlflow
    mlflow.set_tracking_uri(store)
    experiment = mlflow.get_experiment_by_name(finished.root)
    assert experiment is not None
    logged = mlflow.MlflowClient().search_runs([experiment.experiment_id])[0]
    assert {"roc_auc", "average_precision", "card_precision_100", "money_saved",
            "monitor/psi_score"} <= set(logged.data.metrics)
    assert 0.5 < logged.data.metrics["roc_auc"] <= 1
    names = [path.path for folder in ("explore", "evaluate", "monitor")
             for path in mlflow.MlflowClient().list_artifacts(logged.info.run_id, folder)]
    assert {"explore/report.html", "evaluate/curves.png", "evaluate/importance.png",
            "evaluate/slices.csv", "monitor/psi.png"} <= set(names)
    info = mlflow.models.get_model_info(newest_model(finished))
    assert info.metadata is not None and info.signature is not None
    assert info.metadata["table_versions"].keys() == {"silver.transactions", "gold.features"}
    assert info.signature.inputs.input_names() == inputs("hist_gradient_boosting", "full")
    assert info.saved_input_example_info is not None


def test_the_pipeline_gives_the_same_tables_on_a_spark_connect_server(
        finished: Lakehouse, expected: Contents, connect: str, arguments: list[str], store: str,
        tmp_path: Path) -> None:
    Project(arguments, tmp_path, store, SPARK_REMOTE=connect).run()
    found = contents(Lakehouse(finished.spark, str(tmp_path), finished.schema))
    assert {name: len(rows) for name, rows in found.items()} == {
        name: len(rows) for name, rows in expected.items()}
    for name in ("silver.transactions", "gold.features", "gold.scores"):
        assert found[name] == expected[name], name
