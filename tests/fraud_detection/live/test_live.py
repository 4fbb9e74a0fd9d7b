"""fraud-scoring on Spark: a real broker, a registered model, an online store, tables."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import mlflow
import psutil
import pytest
from databricks.sdk.service.jobs import Continuous, PauseStatus, SparkPythonTask, Task
from databricks.sdk.service.workspace import ImportFormat

from branchline import BadInput, Lakehouse
from branchline.config.kafka_file import KafkaFile
from branchline.lakehouse.stream import checkpoint
from branchline.parity import read_log
from branchline.runs.registry import Registry
from branchline.runs.tracking import Tracking
from fraud_detection.data.world import World
from fraud_detection.demo.replay import arrivals, silver
from fraud_detection.live import batch, stream
from fraud_detection.live.settings import ScoringSettings
from fraud_detection.steps import parity
from fraud_detection.tables import SCORES
from support.clone import ROOT
from support.processes import wait_until
from support.releasing import CLUSTER
from support.topics import Topic, received
from tests.live import land, log_model
from workspace_server import Workspace

pytestmark = pytest.mark.spark

WORLD = World(customers=8, terminals=5, days=45, seed=5)
NAME = "scored-live"


@dataclass(frozen=True)
class Stage:
    """Silver with the transactions, and topics with their messages, some late, labels a week."""

    lakehouse: Lakehouse
    settings: ScoringSettings
    events: Topic
    count: int
    first: date
    last: date
    messages: list[tuple[bool, bytes]]


@pytest.fixture(scope="module")
def stage(spark: Any, store: str, broker: Any, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("stage")
    lakehouse = Lakehouse(spark, str(folder / "lakehouse"), "a_branch")
    transactions = silver(WORLD)
    land(lakehouse, transactions)
    mlflow.set_tracking_uri(store)
    mlflow.set_experiment(experiment_id=mlflow.create_experiment(str(folder), folder.as_uri()))
    for inputs in (["amount", "terminal_fraud_rate_30d"], ["amount"]):
        register(store, inputs)
    Registry(Tracking(store, None)).promote(NAME, "1")
    client = {"bootstrap.servers": broker.address}
    events, labels = Topic(client, partitions=2), Topic(client)
    messages = list(arrivals(transactions, late=0.05))
    send(messages, events, labels)
    settings = ScoringSettings(
        kafka=KafkaFile(client), events=events.name, labels=labels.name, scores="", log="",
        store=str(folder / "events.db"), registered=NAME, once="true", most=400)
    days = [time.date() for time in transactions["event_time"].to_pylist()]
    return Stage(lakehouse, settings, events, len(transactions), min(days), max(days), messages)


def register(store: str, inputs: list[str]) -> None:
    with mlflow.start_run() as run:
        Registry(Tracking(store, None)).register(NAME, log_model(inputs), run.info.run_id, {})


def send(messages: list[tuple[bool, bytes]], events: Topic, labels: Topic) -> None:
    """A card's messages stay in one partition; the two partitions overtake each other."""
    for partition in (0, 1):
        events.send(*(value for is_label, value in messages if not is_label
                      and sum(json.loads(value)["customer_id"].encode()) % 2 == partition),
                    partition=partition)
    labels.send(*(value for is_label, value in messages if is_label))


def scores_of(rows: list[dict[str, Any]]) -> dict[str, tuple[float, bool, str]]:
    return {row["transaction_id"]: (row["score"], row["is_alert"], row["model_version"])
            for row in rows}


def table_of(lakehouse: Lakehouse) -> list[dict[str, Any]]:
    return [row.asDict() for row in lakehouse.read(SCORES).collect()]


def test_what_the_stream_scores_is_what_batch_computes(stage: Stage, run: Any) -> None:
    client = stage.events.client
    scores, log = Topic(client), Topic(client)
    counts = stream.run(stage.lakehouse, replace(stage.settings, scores=scores.name, log=log.name))
    assert counts["rows"] == counts["kept"] == stage.count
    sent, kept = received(scores, stage.count, quiet=0.5), table_of(stage.lakehouse)
    assert scores_of(sent) == scores_of(kept) and len(kept) == len(sent) == stage.count
    found = parity.compared(stage.lakehouse, read_log(log.name, client), 7)
    assert found.events == stage.count and found.mismatches == 0
    assert set(run_tags(run)) >= {"stream.models"}


def run_tags(run: Any) -> dict[str, str]:
    return dict(mlflow.MlflowClient().get_run(run.info.run_id).data.tags)


def test_events_that_bring_their_labels_out_of_order_have_the_scores_of_batch_to_the_bit(
        stage: Stage, run: Any, tmp_path: Path) -> None:
    again = Lakehouse(stage.lakehouse.spark, str(tmp_path / "lakehouse"), "a_branch")
    events, scores = Topic(stage.events.client), Topic(stage.events.client)
    labels = {row["transaction_id"]: row["is_fraud"] for row in (
        json.loads(value) for is_label, value in stage.messages if is_label)}
    events.send(*({**row, "is_fraud": labels[row["transaction_id"]]} for row in (
        json.loads(value) for is_label, value in stage.messages if not is_label)))
    stream.run(again, replace(stage.settings, events=events.name, scores=scores.name, labels="",
                              store=str(tmp_path / "events.db"), most=100_000))
    counts = batch.run(stage.lakehouse, replace(stage.settings, first_day=stage.first,
                                                last_day=stage.last))
    assert counts["rows"] == stage.count
    assert scores_of(table_of(again)) == scores_of(table_of(stage.lakehouse))


def test_the_next_batch_has_a_moved_alias_s_model_and_a_replay_adds_no_row(
        stage: Stage, run: Any, store: str, tmp_path: Path) -> None:
    lakehouse = Lakehouse(stage.lakehouse.spark, str(tmp_path / "lakehouse"), "a_branch")
    events, scores = Topic(stage.events.client), Topic(stage.events.client)
    settings = replace(stage.settings, events=events.name, scores=scores.name, labels="",
                       store=str(tmp_path / "events.db"))
    values = [value for is_label, value in stage.messages if not is_label]
    events.send(b"no JSON", *values[:50])
    assert stream.run(lakehouse, settings)["rejected"] == 1
    Registry(Tracking(store, None)).promote(NAME, "2")
    try:
        events.send(*values[50:80])
        stream.run(lakehouse, settings)
        changes = json.loads(run_tags(run)["stream.models"])
        shutil.rmtree(checkpoint(lakehouse, f"scored-{events.name}"))
        assert stream.run(lakehouse, settings)["kept"] == 0
    finally:
        Registry(Tracking(store, None)).promote(NAME, "1")
    assert [first for first, _ in changes] == [0, 1]
    sent = received(scores, 160, quiet=0.5)
    assert len({(row["transaction_id"], row["model_version"], row["score"]) for row in sent}) == 130
    assert sorted(Counter(row["model_version"] for row in sent).values()) == [50, 110]
    kept = table_of(lakehouse)
    assert sorted(Counter(row["model_version"] for row in kept).values()) == [30, 50]
    assert len({row["transaction_id"] for row in kept}) == 80


# What the job runs: the project's main.py from the sources, with the model of this test's store.
JOB = f"""
import os, runpy, sys
os.environ |= dict(pair.split("=", 1) for pair in sys.argv[1:3])
sys.path[:0] = [{str(ROOT / "src")!r}, {str(ROOT / "packages" / "branchline" / "src")!r}]
sys.argv = sys.argv[3:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_killed_stream_is_started_again_by_its_continuous_job_and_doubles_no_row(
        stage: Stage, run: Any, store: str, workspace: Workspace, tmp_path: Path) -> None:
    lakehouse = Lakehouse(stage.lakehouse.spark, str(tmp_path / "lakehouse"), "a_branch")
    scores, client = Topic(stage.events.client), workspace.client()
    job = deployed(workspace, store, run.info.experiment_id, lakehouse, replace(
        stage.settings, scores=scores.name, store=str(tmp_path / "events.db"), most=60,
        keep_every=0))
    try:
        wait_long(lambda: commits(lakehouse) > 2)
        driver = next(each for each in psutil.process_iter(["cmdline"])
                      if {"-u", str(tmp_path / "events.db")} <= set(each.info["cmdline"] or ()))
        driver.kill()
        before = len(table_of(lakehouse))
        wait_long(lambda: commits(lakehouse) > 3 and len(table_of(lakehouse)) == stage.count)
        runs = list(client.jobs.list_runs(job_id=job))
    finally:
        client.jobs.delete(job)
    kept = table_of(lakehouse)
    assert 0 < before < len(kept) == len({row["transaction_id"] for row in kept})
    assert len(runs) == 2 and runs[1].state and str(runs[1].state.result_state).endswith("FAILED")
    wait_until(lambda: not list(client.jobs.list_runs(job_id=job, active_only=True)))


def deployed(workspace: Workspace, store: str, experiment: str, lakehouse: Lakehouse,
             settings: ScoringSettings) -> int:
    """A continuous job of the stream on a running cluster; its number."""
    client, script = workspace.client(), "/Shared/live.py"
    client.workspace.upload(script, JOB.encode(), format=ImportFormat.RAW, overwrite=True)
    kafka = json.dumps({"bootstrap_servers": settings.kafka and settings.kafka.client[
        "bootstrap.servers"]})
    arguments = {"steps": "stream", "lakehouse": lakehouse.root, "schema": lakehouse.schema,
                 "kafka": kafka, **{name: str(getattr(settings, name)) for name in (
                     "events", "scores", "labels", "store", "registered", "most", "keep_every")}}
    words = [word for name, value in arguments.items() for word in (f"--{name}", value)]
    main = str(ROOT / "mlflow-notebooks" / "fraud-scoring" / "main.py")
    task = Task("main", existing_cluster_id=CLUSTER, spark_python_task=SparkPythonTask(
        script, parameters=[f"MLFLOW_TRACKING_URI={store}", f"MLFLOW_EXPERIMENT_ID={experiment}",
                            main, *words]))
    made = client.jobs.create(name="live", tasks=[task], continuous=Continuous(
        pause_status=PauseStatus.UNPAUSED))
    return made.job_id or 0


def wait_long(condition: Callable[[], bool]) -> None:
    """For minutes: a JVM starts."""
    for _ in range(3):
        with suppress(AssertionError):
            return wait_until(condition)
    wait_until(condition)


def commits(lakehouse: Lakehouse) -> int:
    if not lakehouse.exists(SCORES):
        return 0
    return int(lakehouse.commit(SCORES).partition("/")[0].replace("none", "-1")) + 1


def test_what_the_stream_needs_is_said_in_one_line() -> None:
    with pytest.raises(BadInput, match="parameters store and kafka: expected an online store"):
        stream.run(None, ScoringSettings())  # type: ignore[arg-type]
