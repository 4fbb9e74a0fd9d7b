"""The step on the scores of a finished run: windows, labels after their delay, a rerun."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import functions as F
from sklearn.metrics import roc_auc_score

from branchline import BadInput, Lakehouse
from branchline.inference_log.tables import INFERENCE_LOG
from branchline.monitoring.measures import MEASURES
from branchline.monitoring.profile_tables import DRIFT_METRICS, PROFILE_METRICS
from fraud_detection.monitoring import watch
from fraud_detection.monitoring.settings import MonitoringSettings
from fraud_detection.settings import Settings
from fraud_detection.steps import predict
from fraud_detection.tables import SCORES, TRANSACTIONS
from tests.tables import copied, newest_model

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def watched(finished: Lakehouse, store: str,
            tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lakehouse, Any]]:
    """Tables whose test week was scored into the inference log and measured, and that run."""
    import mlflow
    lakehouse = copied(finished, tmp_path_factory.mktemp("watched"))
    mlflow.set_tracking_uri(store)
    predict.run(lakehouse, Settings(model_uri=newest_model(finished), train_days=10,
                                    log_scores="true"))
    with mlflow.start_run() as active:
        watch.run(lakehouse, MonitoringSettings(label_delay_days=3))
    yield lakehouse, mlflow.get_run(active.info.run_id)


def measures(lakehouse: Lakehouse, condition: str) -> list[Any]:
    return lakehouse.read(MEASURES).where(condition).orderBy("window_start").collect()


def test_each_complete_day_has_its_rows_alone_and_by_slice(
        watched: tuple[Lakehouse, Any]) -> None:
    lakehouse, _ = watched
    by_day = {str(row[0]): row[1] for row in lakehouse.read(SCORES).groupBy(
        F.to_date("event_time")).count().collect()}
    for part in ("", "source=batch"):
        found = measures(lakehouse, f"name = 'rows' AND slice = '{part}'")
        assert len(found) == 6, "the last day is not over"
        assert {f"{row['window_start']:%Y-%m-%d}": int(row["value"]) for row in found}.items() <= (
            by_day.items())


def test_every_column_of_the_reference_is_measured_but_those_by_the_clock(
        watched: tuple[Lakehouse, Any]) -> None:
    lakehouse, _ = watched
    subjects = {row["subject"] for row in measures(lakehouse, "name = 'psi'")}
    assert {"amount", "score", "outlier_score"} <= subjects and "weekend" not in subjects


def test_labels_count_only_after_their_delay(watched: tuple[Lakehouse, Any]) -> None:
    lakehouse, _ = watched
    days = {name: {row["window_start"] for row in measures(lakehouse, f"name = '{name}_recall'")}
            for name in ("estimated", "realised")}
    assert len(days["estimated"]) == 6 and days["realised"] < days["estimated"]
    assert len(days["realised"]) == 3


def test_the_profile_tables_have_a_row_for_each_column_of_a_window(
        watched: tuple[Lakehouse, Any]) -> None:
    lakehouse, _ = watched
    [profile] = lakehouse.read(PROFILE_METRICS).where(
        "column_name = 'amount' AND slice_key IS NULL").orderBy("window.start").limit(1).collect()
    [moved] = lakehouse.read(DRIFT_METRICS).where(
        "column_name = 'amount' AND slice_key IS NULL").orderBy("window.start").limit(1).collect()
    assert profile["count"] > 0 and profile["min"] <= profile["avg"] <= profile["max"]
    assert profile["window"] == moved["window"] and 0 <= moved["js_distance"] <= 1
    assert 0 <= moved["chi_squared_test"]["pvalue"] <= 1
    assert 0 <= moved["ks_test"]["pvalue"] <= 1 and moved["wasserstein_distance"] >= 0


def test_each_auc_counts_all_scored_rows_and_those_whose_labels_are_known(
        watched: tuple[Lakehouse, Any]) -> None:
    lakehouse, _ = watched
    promised, came = (measures(lakehouse, f"name = '{name}_auc' AND slice = ''")
                      for name in ("estimated", "realised"))
    assert (len(promised), len(came)) == (6, 3)
    scores = lakehouse.read(SCORES).where(F.to_date("event_time") == came[0]["window_start"].date())
    known = scores.join(lakehouse.read(TRANSACTIONS).select("transaction_id", "is_fraud"),
                        "transaction_id").select("is_fraud", "score").toArrow().to_pandas()
    assert known["is_fraud"].sum() == came[0]["rows"]
    if came[0]["value"] is not None:
        assert came[0]["value"] == pytest.approx(
            roc_auc_score(known["is_fraud"], known["score"]), abs=.005)


def test_the_page_and_its_pictures_are_logged(watched: tuple[Lakehouse, Any]) -> None:
    import mlflow
    folder = Path(mlflow.artifacts.download_artifacts(
        run_id=watched[1].info.run_id, artifact_path="watch"))
    assert {each.name for each in folder.iterdir()} == {
        "report.html", "drift.png", "performance.png", "volume.png"}


def test_a_rerun_changes_nothing(watched: tuple[Lakehouse, Any], store: str) -> None:
    import mlflow
    lakehouse, _ = watched

    def contents() -> set[tuple[Any, ...]]:
        return {tuple(row) for row in lakehouse.read(MEASURES).collect()}

    before = contents()
    with mlflow.start_run():
        again = watch.run(lakehouse, MonitoringSettings(label_delay_days=3))
    assert contents() == before and again["windows"] == 4, "the days whose labels were unknown"


def test_without_an_inference_log_it_is_said_what_to_run(lakehouse: Lakehouse) -> None:
    lakehouse.create(INFERENCE_LOG)
    with pytest.raises(BadInput, match="gold.inference_log has no rows; run the step ship"):
        watch.run(lakehouse, MonitoringSettings())


def test_rows_of_a_model_that_is_gone_are_counted_and_its_columns_are_not_compared(
        watched: tuple[Lakehouse, Any], store: str, tmp_path: Path,
        caplog: pytest.LogCaptureFixture) -> None:
    import mlflow
    lakehouse = copied(watched[0], tmp_path)
    lakehouse.spark.sql(f"UPDATE {lakehouse.reference(INFERENCE_LOG)} SET model_version = 'm-gone'")
    with mlflow.start_run():
        found = watch.run(lakehouse, MonitoringSettings(first_day=date(2018, 1, 1)))
    assert found["rows"] > 0 and "m-gone" in caplog.text and "not compared" in caplog.text
    assert measures(lakehouse, "name = 'psi'") == []


def test_before_the_first_window_is_complete_nothing_is_measured(
        watched: tuple[Lakehouse, Any], store: str, tmp_path: Path,
        caplog: pytest.LogCaptureFixture) -> None:
    import mlflow
    lakehouse = copied(watched[0], tmp_path)
    lakehouse.spark.sql(f"DELETE FROM {lakehouse.reference(MEASURES)}")
    with mlflow.start_run():
        found = watch.run(lakehouse, MonitoringSettings(window_hours=24 * 28 * 12 * 80))
    assert found["windows"] == 0 and "no window is complete yet" in caplog.text
