"""Ingest and prepare from a topic of a real broker."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from branchline import BadInput, Lakehouse
from branchline.config.kafka_file import KafkaFile
from fraud_detection.settings import Settings
from fraud_detection.steps import ingest, prepare
from fraud_detection.tables import BRONZE_TRANSACTIONS, QUARANTINE, TRANSACTIONS
from support.processes import Project, kill
from support.topics import Topic

pytestmark = pytest.mark.spark
ONE = {"transaction_id": "1", "event_time": "2024-01-01T10:00:00Z", "customer_id": "c",
       "terminal_id": "t", "amount": 12.5, "is_fraud": 0}
# A message each, and the reason with which it is rejected.
BAD: list[tuple[Any, str]] = [
    (None, "message has no value"), (b"", "row is not a JSON object"),
    (b"{", "row is not a JSON object"), (b"[]", "row is not a JSON object"),
    (b"null", "row is not a JSON object"), (b"17", "row is not a JSON object"),
    (b"\x00\x00\x00\x00\x01avro", "row is not a JSON object"),
    (b"\x1f\x8b\x08gzip", "row is not a JSON object"), (b"a,b,c", "row is not a JSON object"),
    (json.dumps(ONE).encode() * 2, "row is not a JSON object"),
    (json.dumps(ONE).encode("utf-16"), "row is not a JSON object"),
    (b'{"transaction_id": "\xff"}', "text is not UTF-8"),
    (b'{"amount": 1, "amount": 2}', "key amount occurs 2 times"),
    ({}, "transaction_id is missing; event_time is missing; customer_id is missing; "
         "terminal_id is missing; amount is missing"),
    ({**ONE, "transaction_id": None}, "transaction_id is missing"),
    ({**ONE, "customer_id": ["c"]}, "customer_id is not a plain value"),
    ({**ONE, "terminal_id": {"id": "t"}}, "terminal_id is not a plain value"),
    ({**ONE, "terminal_id": "a\nb"}, "terminal_id a b holds a line break or control character"),
    ({**ONE, "event_time": "yesterday"}, "event_time yesterday is not a time"),
    ({**ONE, "event_time": "2024-02-30"}, "event_time 2024-02-30 is not a time"),
    ({**ONE, "event_time": "2200-01-01"},
     "event_time 2200-01-01 lies after the arrival of its file"),
    ({**ONE, "amount": -1}, "amount -1 is negative"),
    ({**ONE, "amount": "12,50"}, "amount 12,50 is not a finite number"),
    ({**ONE, "amount": float("nan")}, "amount NaN is not a finite number"),
    ({**ONE, "is_fraud": 2}, "is_fraud 2 is not 0, 1 or missing"),
]


@pytest.fixture
def topic(broker: Any) -> Topic:
    return Topic({"bootstrap.servers": broker.address}, partitions=2)


def of(topic: Topic) -> Settings:
    return Settings(data=f"kafka://{topic.name}", kafka=KafkaFile(topic.client))


def test_messages_go_to_silver_and_bad_ones_to_quarantine_with_their_offset(
        lakehouse: Lakehouse, topic: Topic) -> None:
    topic.send({**ONE, "channel": "web"})
    topic.send(*[message for message, _ in BAD])
    topic.send({**ONE, "transaction_id": "2", "is_fraud": None}, partition=1)
    rows = len(BAD) + 2
    assert ingest.run(lakehouse, of(topic)) == {"rows": rows, "files": 2, "unreadable": 15}
    assert prepare.run(lakehouse, of(topic)) == {
        "rows": rows, "silver": 2, "quarantine": len(BAD), "duplicates": 0}
    silver = lakehouse.read(TRANSACTIONS).orderBy("transaction_id").collect()
    assert [(row.transaction_id, row.is_fraud, row.source_file, row.source_row)
            for row in silver] == [("1", 0, f"kafka://{topic.name}/0", 0),
                                   ("2", None, f"kafka://{topic.name}/1", 0)]
    rejected = lakehouse.read(QUARANTINE).orderBy("source_row").collect()
    assert [(row.source_file, row.source_row, row.reason) for row in rejected] == [
        (f"kafka://{topic.name}/0", offset, reason)
        for offset, (_, reason) in enumerate(BAD, start=1)]


def test_a_message_that_is_sent_twice_is_a_duplicate(lakehouse: Lakehouse, topic: Topic) -> None:
    for _ in range(2):
        topic.send(ONE)
        ingest.run(lakehouse, of(topic))
    assert prepare.run(lakehouse, of(topic)) == {
        "rows": 2, "silver": 1, "quarantine": 0, "duplicates": 1}


def test_a_topic_needs_settings_for_kafka(lakehouse: Lakehouse) -> None:
    with pytest.raises(BadInput, match="data is kafka://t, but there are no settings for Kafka"):
        ingest.run(lakehouse, Settings(data="kafka://t"))


def test_an_ingest_that_is_killed_at_any_moment_loses_and_doubles_no_message(
        spark: Any, topic: Topic, store: str, tmp_path: Path) -> None:
    count, source = 20_000, random.Random(0)
    topic.send(*[{**ONE, "transaction_id": str(number)} for number in range(count)])
    (tmp_path / "kafka.yml").write_text(
        f"bootstrap_servers: {topic.client['bootstrap.servers']}\n")
    project = Project(["--data", f"kafka://{topic.name}", "--kafka", str(tmp_path / "kafka.yml")],
                      tmp_path / "lakehouse", store)
    log = tmp_path / "lakehouse" / Settings(data=f"kafka://{topic.name}").tables_schema
    for _ in range(2):
        process = project.start("ingest")
        while process.poll() is None and not list(log.glob("bronze/transactions/*.parquet")):
            time.sleep(0.002)
        time.sleep(source.random() * 0.2)
        kill(process)
    project.run("ingest")
    lakehouse = Lakehouse(spark, str(tmp_path / "lakehouse"), log.name)
    offsets = [row[0] for row in
               lakehouse.read(BRONZE_TRANSACTIONS).select("source_row").collect()]
    assert sorted(offsets) == list(range(count))
