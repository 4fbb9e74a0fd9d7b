"""`branchline score-stream` as a user starts it: a registered model, a real broker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest

from branchline.runs.registry import Registry
from branchline.runs.tracking import Tracking
from support.clone import ROOT
from support.processes import free_port, wait_until
from support.topics import Topic, received
from tests.live import log_model

NAME = "fraud-training"
# As in the service's image: without a repository, MLflow and Spark.
IN_AN_IMAGE = """
import sys
sys.modules.update(dict.fromkeys(["mlflow", "pyspark", "databricks", "matplotlib"]))
from branchline.cli.main import main
main()
"""


def register(store: str, *inputs: str) -> tuple[str, str]:
    """The id and the version of a small model, registered as the project's."""
    with mlflow.start_run() as run:
        logged = log_model(list(inputs))
        found = Registry(Tracking(store, None)).register(NAME, logged, run.info.run_id, {})
    return logged, found.version


@pytest.fixture(scope="module")
def models(store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two registered models' ids and versions; the first is the champion."""
    folder = tmp_path_factory.mktemp("models")
    mlflow.set_tracking_uri(store)
    mlflow.set_experiment(experiment_id=mlflow.create_experiment(str(folder), folder.as_uri()))
    found = [register(store, "amount"), register(store, "amount", "customer_count_7d")]
    Registry(Tracking(store, None)).promote(NAME, found[0][1])
    yield found
    mlflow.MlflowClient().delete_registered_model(NAME)


def sold(number: int) -> dict[str, Any]:
    return {"transaction_id": str(number), "customer_id": "c", "terminal_id": "t",
            "event_time": f"2024-01-01T00:{number // 60:02}:{number % 60:02}Z", "amount": 10.5}


def start(store: str, kafka: Path, *more: str) -> subprocess.Popen[str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return subprocess.Popen(
        [sys.executable, "-m", "branchline.cli.main", "score-stream", NAME, "--kafka", str(kafka),
         *more], cwd=ROOT, env={**others, "MLFLOW_TRACKING_URI": store}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def start_in_an_image(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return subprocess.Popen(
        [sys.executable, "-c", IN_AN_IMAGE, "score-stream", *arguments], cwd=folder, env=others,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(worker: subprocess.Popen[str]) -> str:
    """Stopped by a signal, with 0; what it said."""
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=60)
    assert worker.returncode == 0, err
    return out


def test_a_worker_started_from_a_models_folder_scores_as_one_started_from_the_registry(
        store: str, broker: Any, models: list[tuple[str, str]], tmp_path: Path) -> None:
    client = {"bootstrap.servers": broker.address}
    events, by_registry, by_folder = (Topic(client) for _ in range(3))
    first, folder = models[0][0], tmp_path / "model"
    mlflow.artifacts.download_artifacts(f"models:/{first}", dst_path=str(folder))
    Registry(Tracking(store, None)).promote(NAME, models[0][1])
    events.send(*(sold(number) for number in range(100)))
    workers = []
    try:
        for at, scores in enumerate((by_registry, by_folder)):
            kafka = tmp_path / f"kafka{at}.yml"
            kafka.write_text(f"bootstrap_servers: {broker.address}\ngroup: {kafka}\n")
            topics = ("--from", events.name, "--to", scores.name, "--store",
                      str(tmp_path / f"{at}.db"))
            workers.append(start_in_an_image(
                tmp_path, "fraud_detection.scoring.stream:open_scorer", "--model", str(folder),
                "--kafka", str(kafka), *topics) if at else start(store, kafka, *topics))
        expected, found = (received(each, 100, quiet=0.5) for each in (by_registry, by_folder))
        assert all("stopped: 100 events" in ended(worker) for worker in workers)
    finally:
        for worker in workers:
            worker.kill()
    assert found == expected and len(found) == 100
    assert {row["model_version"] for row in found} == {first}


def test_it_follows_the_alias_and_a_signal_stops_it_with_0(
        store: str, broker: Any, models: list[tuple[str, str]], tmp_path: Path) -> None:
    client = {"bootstrap.servers": broker.address}
    events, scores, labels, log = (Topic(client) for _ in range(4))
    kafka, metrics = tmp_path / "kafka.yml", tmp_path / "stream.prom"
    kafka.write_text(f"bootstrap_servers: {broker.address}\ngroup: {tmp_path.name}\n")
    worker = start(store, kafka, "--from", events.name, "--to", scores.name, "--labels",
                   labels.name, "--log", log.name, "--store", str(tmp_path / "events.db"),
                   "--every", "0.5", "--metrics", str(metrics))
    try:
        events.send(b"no JSON", *(sold(number) for number in range(100)))
        before = received(scores, 100, quiet=0.5)
        labels.send({**sold(3), "is_fraud": 1}, {**sold(1000), "is_fraud": 1})
        wait_until(lambda: metrics.exists() and "labels_total 2" in metrics.read_text())
        Registry(Tracking(store, None)).promote(NAME, models[1][1])
        said = iter(worker.stdout or ())
        assert next(line for line in said if "scores from now on" in line)
        events.send(sold(100))
        after = received(scores, 1, quiet=0.5)
        worker.send_signal(signal.SIGTERM)
        out, err = worker.communicate(timeout=60)
    finally:
        worker.kill()
    assert worker.returncode == 0, err
    assert "branchline_stream_lag_messages 0\n" in metrics.read_text()
    assert len(before) == 100 and {row["model_version"] for row in before} == {models[0][0]}
    assert [row["model_version"] for row in after] == [models[1][0]]
    assert "stopped: 101 events, 1 unusable messages, 2 labels (1 without their event)" in out
    logged = received(log, 103, quiet=0.5)
    assert [row["missed"] for row in logged if "label" in row] == [False, True]
    assert [row["features"]["customer_count_7d"] for row in logged if "features" in row] == [
        float(number) for number in range(1, 102)]


def test_a_broker_that_does_not_answer_is_named_and_the_exit_code_is_5(
        store: str, models: Any, tmp_path: Path) -> None:
    kafka, port = tmp_path / "kafka.yml", free_port()
    kafka.write_text(f"bootstrap_servers: 127.0.0.1:{port}\n")
    worker = start(store, kafka, "--from", "a", "--to", "b", "--store", str(tmp_path / "x.db"))
    _, err = worker.communicate(timeout=120)
    assert worker.returncode == 5
    assert f"127.0.0.1:{port} does not answer" in err and len(err.splitlines()) == 1


def test_a_wrong_kafka_file_is_refused_with_its_line_and_2(tmp_path: Path) -> None:
    kafka = tmp_path / "kafka.yml"
    kafka.write_text("bootstrap_servers: x:1\npassword: tell-nobody\n")
    worker = start("sqlite:///none.db", kafka, "--from", "a", "--to", "b", "--store", "x.db")
    _, err = worker.communicate(timeout=60)
    assert worker.returncode == 2
    assert "kafka.yml, line 2: unknown key password" in err and "tell-nobody" not in err
