"""The worker against a real broker, with the model of the finished pipeline."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from pyspark.sql import functions as F

from branchline import Lakehouse
from branchline.features.arrow import EventColumns
from branchline.features.online import SqliteStore
from branchline.features.online.backfill import backfill
from branchline.streaming.followed import Followed
from branchline.streaming.progress import Progress
from branchline.streaming.worker import Topics, work
from fraud_detection.features import definitions
from fraud_detection.scoring.logged import find_model
from fraud_detection.scoring.messages import events_of, labels_of
from fraud_detection.scoring.stream import FraudScorer
from fraud_detection.settings import Columns
from fraud_detection.tables import SCORES, TRANSACTIONS
from support.processes import wait_until
from support.topics import Topic, received
from tests.tables import newest_model

COLUMNS = EventColumns("transaction_id", "event_time", ("amount", "is_fraud"))
LISTED = definitions("full", label_delay=7)


# Scores until it is killed; its model is a formula, so that a score tells its features.
WORKER = """
import json, sys
from pathlib import Path
from branchline.features.online import SqliteStore
from branchline.streaming.followed import Followed
from branchline.streaming.progress import Progress
from branchline.streaming.worker import Topics, work
from fraud_detection.scoring.logged import Scored
from fraud_detection.scoring.stream import FraudScorer
from fraud_detection.settings import Columns

class Model:
    version, threshold, notes = "formula", 0.5, {}
    inputs = ["amount", "customer_count_7d", "customer_mean_amount_30d", "amount_to_usual"]
    def __call__(self, rows):
        score = (rows[self.inputs] * [1, 100, 1, 1]).sum(axis=1).to_numpy()
        return Scored.of(score, self.threshold)

scorer = FraudScorer(SqliteStore(Path(sys.argv[1])), Columns(), 7)
model = Followed(lambda: "formula", lambda _: Model())
work(Topics(**json.loads(sys.argv[2])), scorer, model, Progress(), lambda: False)
"""


def sold(number: int) -> dict[str, Any]:
    """In the order of their times, eight in an hour of one time."""
    day, hour = divmod(number // 8, 24)
    return {"transaction_id": str(number), "customer_id": f"c{number % 7}", "terminal_id": "t",
            "event_time": f"2024-01-{1 + day:02}T{hour:02}:00:00Z", "amount": number % 13 + 0.25}


def wait_for_more(topic: Topic, than: int) -> int:
    """How many offsets the topic has, when they are more."""
    consumer = Consumer(topic.client)
    found: list[int] = []

    def is_more() -> bool:
        found.append(consumer.get_watermark_offsets(TopicPartition(topic.name, 0), 30)[1])
        return found[-1] > than

    wait_until(is_more)
    consumer.close()
    return found[-1]


def test_a_worker_killed_at_any_moment_scores_each_transaction_exactly_once(
        broker: Any, tmp_path: Path) -> None:
    client = {"bootstrap.servers": broker.address, "group.id": tmp_path.name,
              "session.timeout.ms": "6000"}
    incoming, outgoing, undisturbed = Topic(client), Topic(client), Topic(client)
    count = 5000
    incoming.send(*(sold(number) for number in range(count)))

    def start(scores: Topic, name: str) -> subprocess.Popen[bytes]:
        topics = {"client": {**client, "group.id": f"{tmp_path.name} {name}"}, "worker": name,
                  "events": incoming.name, "scores": scores.name}
        return subprocess.Popen([sys.executable, "-c", WORKER, tmp_path / f"{name}.db",
                                 json.dumps(topics)], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    calm = start(undisturbed, "calm")
    reached = 0
    for _ in range(2):
        hurried = start(outgoing, "hurried")
        reached = wait_for_more(outgoing, reached)
        hurried.kill()
        hurried.wait()
    hurried = start(outgoing, "hurried")
    try:
        found, expected = received(outgoing, count), received(undisturbed, count)
    finally:
        for process in (calm, hurried):
            process.kill()
            process.wait()
    assert len(found) == len(expected) == count > reached
    assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, expected))


@pytest.mark.spark
def test_the_worker_s_scores_are_those_of_batch_to_the_bit(
        finished: Lakehouse, store: str, broker: Any, tmp_path: Path) -> None:
    scores = {row.transaction_id: (row.score, row.is_alert)
              for row in finished.read(SCORES).collect()}
    silver = finished.read(TRANSACTIONS)
    first = finished.read(SCORES).agg(F.min(F.to_date("event_time"))).collect()[0][0]
    live = silver.where(F.col("event_time") >= F.lit(first)).orderBy("event_time").toArrow()
    state = SqliteStore(tmp_path / "events.db")
    backfill(state, LISTED, silver.where(F.col("event_time") < F.lit(first)).toArrow(), COLUMNS)
    client = {"bootstrap.servers": broker.address, "group.id": tmp_path.name}
    incoming, outgoing = Topic(client), Topic(client)
    incoming.send(b"{", *[
        {**{name: row[name] for name in ("transaction_id", "customer_id", "terminal_id", "amount")},
         "event_time": row["event_time"].isoformat()} for row in live.to_pylist()])
    model = find_model(newest_model(finished))
    stopped, progress = threading.Event(), Progress()
    worker = threading.Thread(target=lambda: work(
        Topics(client, incoming.name, outgoing.name), FraudScorer(state, Columns(), 7),
        Followed(lambda: "fixed", lambda _: model), progress, stopped.is_set))
    worker.start()
    found = received(outgoing, len(live))
    stopped.set()
    worker.join()
    assert (progress.events, progress.rejected) == (len(live), 1) and len(scores) > 500
    assert {row["transaction_id"]: (row["score"], row["is_alert"]) for row in found} == scores
    assert len(found) == len(scores)
    assert {row["model_version"] for row in found} == {model.version}


def test_a_message_that_batch_would_reject_is_not_an_event() -> None:
    good = (b'{"transaction_id": "1", "event_time": "2024-01-01T00:00:01Z", "customer_id": "c", '
            b'"terminal_id": "t", "amount": 1.5, "is_fraud": 1}')
    found = events_of([good, good.replace(b"1.5", b"-1"), b"{", None], [2**41] * 4, Columns())
    assert found[1:] == [None] * 3 and found[0] is not None
    assert (found[0].id, found[0].time) == ("1", 1_704_067_201_000)
    assert found[0].entities == {"customer_id": "c", "terminal_id": "t"}
    assert found[0].values == {"amount": 1.5, "is_fraud": 1.0}


def test_a_label_needs_no_amount() -> None:
    label = (b'{"transaction_id": "1", "event_time": "2024-01-01T00:00:01Z", "customer_id": "c", '
             b'"terminal_id": "t", "is_fraud": 1}')
    unlabelled = label.replace(b', "is_fraud": 1', b"")
    found = labels_of([label, unlabelled, b"{"], [2**41] * 3, Columns())
    assert found[1:] == [None, None] and found[0] is not None
    assert (found[0].id, found[0].values) == ("1", {"is_fraud": 1.0})


def test_scoring_imports_neither_spark_nor_mlflow() -> None:
    script = ("import sys, branchline.streaming.worker, fraud_detection.scoring.stream; "
              "print(*{name.partition('.')[0] for name in sys.modules})")
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                            check=True).stdout.split()
    assert "pandas" in loaded and not {"pyspark", "mlflow", "databricks"} & set(loaded)
