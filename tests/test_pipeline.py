"""The whole pipeline on simulated transactions: here, again, and on Spark Connect."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from branchline import Lakehouse
from fraud_detection.data.tables import TRANSACTIONS
from fraud_detection.model.estimators import inputs
from fraud_detection.pipeline import PIPELINE
from fraud_detection.settings import Settings
from support.processes import Project
from tests.tables import contents, newest_model, run_steps

pytestmark = pytest.mark.spark

Contents = dict[str, list[tuple[Any, ...]]]


def test_every_table_is_filled_and_adds_up(finished: Lakehouse, expected: Contents) -> None:
    rows = {name: len(found) for name, found in expected.items()}
    assert rows["bronze.transactions"] == rows["silver.transactions"] > 5000
    assert rows["silver.quarantine"] == rows["silver.duplicates"] == 0
    test_days = finished.read(TRANSACTIONS).where("event_time >= '2018-05-04'").count()
    assert rows["gold.scores"] == test_days > 0
    assert rows["gold.daily_kpis"] == 7 and rows["gold.monitoring"] == 11


def test_a_second_run_changes_no_table(finished: Lakehouse, expected: Contents,
                                       arguments: list[str], run: Any) -> None:
    settings = Settings.from_arguments([*arguments, "--lakehouse", finished.root,
                                        "--model_uri", newest_model(finished)])
    others = tuple(step.name for step in PIPELINE.asked(settings) if step.name != "train")
    counts = run_steps(finished, replace(settings, steps=others))
    assert counts["ingest"]["rows"] == 0
    assert contents(finished) == expected


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
