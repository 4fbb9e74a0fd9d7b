"""The whole pipeline on simulated transactions: here, again, on Spark Connect, and after kills."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest

from branchline.jars import delta_jars
from branchline.lakehouse import Lakehouse, Table
from branchline.spark import LOCAL_SETTINGS
from fraud_detection.settings import Settings
from fraud_detection.tables import (BRONZE_TRANSACTIONS, FEATURES, MONITORING, SCORES,
                                    TRANSACTIONS)
from tests.conftest import PROJECT, contents, run_steps

pytestmark = pytest.mark.spark


def test_every_table_is_filled_and_adds_up(finished: Lakehouse) -> None:
    rows = {name: len(found) for name, found in contents(finished).items()}
    assert rows["bronze.transactions"] == rows["silver.transactions"] > 5000
    assert rows["silver.quarantine"] == rows["silver.duplicates"] == 0
    test_days = finished.read(TRANSACTIONS).where("event_time >= '2018-05-04'").count()
    assert rows["gold.scores"] == test_days > 0
    assert rows["gold.daily_kpis"] == 7 and rows["gold.monitoring"] == 27


def test_a_second_run_changes_no_table(finished: Lakehouse, arguments: list[str], run: Any) -> None:
    before = contents(finished)
    settings = Settings.from_arguments([*arguments, "--lakehouse", finished.root,
                                        "--model_uri", newest_model(finished)])
    counts = run_steps(finished, settings_without(settings, "train"))
    assert counts["ingest"]["rows"] == 0
    assert contents(finished) == before


def newest_model(lakehouse: Lakehouse) -> str:
    found = lakehouse.read(SCORES).select("model_version").distinct().collect()
    assert len(found) == 1
    return f"models:/{found[0][0]}"


def settings_without(settings: Settings, step: str) -> Settings:
    from dataclasses import replace
    return replace(settings, steps=tuple(name for name in settings.steps if name != step))


def test_the_run_has_metrics_pictures_and_a_model_that_says_what_it_was_made_from(
        finished: Lakehouse, store: str) -> None:
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
    assert len(info.signature.inputs.input_names()) == 26
    assert info.saved_input_example_info is not None


class Project:
    """The project's own process, as mlflow.projects starts it."""

    def __init__(self, arguments: list[str], lakehouse: Path, store: str, **variables: str) -> None:
        self.environment = {**os.environ, "MLFLOW_TRACKING_URI": store,
                            "MLFLOW_EXPERIMENT_NAME": str(lakehouse), **variables}
        self.command = [sys.executable, "main.py", *arguments, "--lakehouse", str(lakehouse)]

    def start(self, *steps: str) -> subprocess.Popen[str]:
        chosen = ["--steps", ",".join(steps)] if steps else []
        return subprocess.Popen(
            [*self.command, *chosen], cwd=PROJECT, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def run(self, *steps: str) -> str:
        process = self.start(*steps)
        said, _ = process.communicate()
        assert process.returncode == 0, said
        return said


def kill_while_writing(process: subprocess.Popen[str], table: Path) -> None:
    """SIGKILL the process and its JVM as soon as a new data file shows up in the table."""
    known = set(table.glob("*.parquet"))
    while process.poll() is None and not set(table.glob("*.parquet")) - known:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_a_run_that_was_killed_in_any_step_leaves_the_next_one_right_tables(
        finished: Lakehouse, spark: Any, arguments: list[str], store: str, tmp_path: Path) -> None:
    mlflow.set_tracking_uri(store)
    mlflow.create_experiment(str(tmp_path), (tmp_path / "artifacts").as_uri())
    project = Project(arguments, tmp_path, store)
    lakehouse = Lakehouse(spark, str(tmp_path), finished.schema)
    killed: list[tuple[tuple[str, ...], Table]] = [
        (("ingest",), BRONZE_TRANSACTIONS), (("ingest", "prepare"), TRANSACTIONS),
        (("prepare", "featurize"), FEATURES), (("featurize", "train", "predict"), SCORES)]
    for steps, table in killed:
        path = tmp_path / finished.schema / table.name.replace(".", "/")
        kill_while_writing(project.start(*steps), path)
    project.run()
    expected, found = contents(finished), contents(lakehouse)
    for name in expected:
        assert found[name] == expected[name] or name == MONITORING.name, name


def test_a_second_run_of_one_branch_at_once_is_told_who_holds_the_tables(
        arguments: list[str], store: str, tmp_path: Path, spark: Any) -> None:
    schema = Settings.from_arguments(arguments).tables_schema
    mlflow.set_tracking_uri(store)
    mlflow.create_experiment(str(tmp_path), (tmp_path / "artifacts").as_uri())
    with Lakehouse(spark, str(tmp_path), schema).writing():
        process = Project(arguments, tmp_path, store).start("ingest")
        said, _ = process.communicate()
    assert process.returncode == 1
    assert f"process {os.getpid()} is writing them" in said.splitlines()[-1]


@pytest.fixture
def connect_server(tmp_path: Path) -> Iterator[str]:
    """A local Spark Connect server, which is what serverless and shared clusters accept."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {**LOCAL_SETTINGS, "spark.connect.grpc.binding.port": str(port),
                "spark.connect.grpc.binding.address": "127.0.0.1",
                "spark.jars": ",".join(map(str, delta_jars()))}
    import pyspark
    command = [str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), "--class",
               "org.apache.spark.sql.connect.service.SparkConnectServer",
               *(part for pair in settings.items() for part in ("--conf", "=".join(pair))),
               "spark-internal"]
    with (tmp_path / "connect.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True,
                                  env={**os.environ, "PYSPARK_PYTHON": sys.executable})
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert server.poll() is None, (tmp_path / "connect.log").read_text()
            time.sleep(0.1)
        yield f"sc://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def test_the_pipeline_gives_the_same_tables_on_a_spark_connect_server(
        finished: Lakehouse, connect_server: str, spark: Any, arguments: list[str], store: str,
        tmp_path: Path) -> None:
    mlflow.set_tracking_uri(store)
    mlflow.create_experiment(str(tmp_path), (tmp_path / "artifacts").as_uri())
    Project(arguments, tmp_path, store, SPARK_REMOTE=connect_server).run()
    expected = contents(finished)
    found = contents(Lakehouse(spark, str(tmp_path), finished.schema))
    assert {name: len(rows) for name, rows in found.items()} == {
        name: len(rows) for name, rows in expected.items()}
    for name in ("silver.transactions", "gold.features", "gold.scores"):
        assert found[name] == expected[name], name
