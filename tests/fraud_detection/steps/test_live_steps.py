"""The steps backfill and parity on real tables, with a real topic."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from branchline import BadInput, Lakehouse
from branchline.config.kafka_file import KafkaFile
from branchline.features.online import SqliteStore
from branchline.inference_log import InferenceLog, LogSettings
from branchline.parity import Parity, read_log
from branchline.runs.shown_parity import parity_of, parts
from branchline.runs.tracking import Tracking
from fraud_detection.data.landed_columns import Columns
from fraud_detection.data.world import World
from fraud_detection.demo.replay import silver
from fraud_detection.scoring.logged import find_model
from fraud_detection.scoring.stream import FraudScorer
from fraud_detection.settings import Settings
from fraud_detection.steps import backfill, parity, ship
from support.clone import ROOT
from support.topics import Topic
from tests.live import arrivals, land, log_model, logged

WORLD = World(customers=15, terminals=8, days=40, seed=5)


def records(store: SqliteStore) -> dict[str, bytes | None]:
    keys = sorted(key for key in store.keys() if "/" in key)
    return dict(zip(keys, store.read(keys), strict=True))


@dataclass(frozen=True)
class Live:
    """Tables, the online store of their stream after all labels, and the topic of its log."""

    lakehouse: Lakehouse
    settings: Settings
    store: SqliteStore
    topic: Topic


@pytest.fixture(scope="module")
def live(spark: Any, store: str, broker: Any, tmp_path_factory: pytest.TempPathFactory) -> Live:
    import mlflow
    folder = tmp_path_factory.mktemp("live")
    lakehouse = Lakehouse(spark, str(folder / "lakehouse"), "a_branch")
    transactions = silver(WORLD)
    land(lakehouse, transactions)
    mlflow.set_tracking_uri(store)
    experiment = mlflow.create_experiment(str(folder), (folder / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=experiment):
        model = find_model(f"models:/{log_model(['amount', 'terminal_fraud_rate_30d'])}")
    scorer = FraudScorer(SqliteStore(Path(":memory:")), Columns(), 7)
    batches = list(arrivals(transactions, late=0.05))
    log = logged(scorer, iter(batches), model)
    topic = Topic({"bootstrap.servers": broker.address})
    topic.send(*chain(log.events, log.labels))
    state = SqliteStore(Path(":memory:"))
    backfilled = FraudScorer(state, Columns(), 7)
    logged(backfilled, ((events, []) for events, _ in batches), model)
    logged(backfilled, (([], labels) for _, labels in batches), model)
    kafka = KafkaFile(topic.client)
    settings = Settings(log=topic.name, kafka=kafka, store=str(folder / "events.db"))
    return Live(lakehouse, settings, state, topic)


@pytest.mark.spark
def test_parity_of_a_topic_finds_no_mismatch_and_is_kept_in_the_run(
        live: Live, run: Any, store: str) -> None:
    counts = parity.run(live.lakehouse, live.settings)
    assert counts["rows"] > 500 and counts["values"] == 27 * counts["rows"]
    assert counts["mismatches"] == 0 < counts["explained"]
    found = parity_of(Tracking(store, None), run.info.run_id)
    assert found.columns[-1].name == "score" and not found.skipped
    assert "0 mismatches (0.000%)" in next(parts(found)).notes[0]


@pytest.mark.spark
def test_lines_of_the_inference_log_are_shipped_and_compared_like_a_topic(
        live: Live, run: Any, tmp_path: Path) -> None:
    version = read_log(live.topic.name, live.topic.client).events[0]["model_version"]
    log = InferenceLog(LogSettings(tmp_path / "log", b"k" * 16))
    scorer = FraudScorer(SqliteStore(Path(":memory:")), Columns(), 7, log)
    logged(scorer, ((events, []) for events, _ in arrivals(silver(WORLD), late=0)),
           find_model(f"models:/{version}"))
    log.close()
    counts = ship.run(live.lakehouse, Settings(logs=str(tmp_path / "log")))
    assert counts["rows"] > 500 and counts["quarantined"] == 0
    found = parity.run(live.lakehouse, Settings())
    assert (found["rows"], found["mismatches"]) == (counts["rows"], 0)
    assert found["explained"] > 0, "no label came to the stream"


@pytest.mark.spark
def test_backfill_makes_the_store_that_the_stream_made(live: Live) -> None:
    for _ in range(2):
        histories = backfill.run(live.lakehouse, live.settings)["histories"]
        assert len(records(live.store)) == histories > 0
        with closing(SqliteStore(Path(live.settings.store))) as filled:
            assert records(filled) == records(live.store)


@pytest.mark.spark
def test_the_command_parity_ends_with_4_and_an_example_of_a_wrong_value(
        live: Live, store: str, connect: str, tmp_path: Path) -> None:
    [row] = [row for row in read_log(live.topic.name, live.topic.client).events
             if row["transaction_id"] == "300"]
    live.topic.send({**row, "features": {**row["features"], "amount": 0.25}})
    kafka = tmp_path / "kafka.yml"
    kafka.write_text(f"bootstrap_servers: {live.topic.client['bootstrap.servers']}\n")
    done = subprocess.run(
        [sys.executable, "-m", "branchline.cli.main", "parity", "fraud-training", "--kafka",
         str(kafka), "--log", live.topic.name, "--branch", "feature/live", "-P", "schema=a_branch",
         "-P", f"lakehouse={live.lakehouse.root}", "--json", str(tmp_path / "parity.json")],
        cwd=ROOT, env={**os.environ, "MLFLOW_TRACKING_URI": store, "SPARK_REMOTE": connect},
        capture_output=True, text=True)
    assert done.returncode == 4, done.stderr
    assert "1 of " in done.stderr and "differ without a proven reason" in done.stderr
    assert "unexplained" in done.stdout and "0.25" in done.stdout
    found = Parity.from_json(json.loads((tmp_path / "parity.json").read_text()))
    assert found.mismatches == 1


def test_parity_and_backfill_say_what_they_need() -> None:
    with pytest.raises(BadInput, match="parameter log is 'x', but there are no settings for Kaf"):
        parity.run(None, Settings(log="x"))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="parameter logs is ''; expected the folder"):
        ship.run(None, Settings())  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="parameter store is ''"):
        backfill.run(None, Settings())  # type: ignore[arg-type]
