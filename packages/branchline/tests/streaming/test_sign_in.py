"""Event Hubs' way to sign in, against a real broker: TLS, and PLAIN with a connection string."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from branchline.config.kafka_file import KafkaFile
from branchline.errors import Unreachable
from branchline.lakehouse import Lakehouse
from branchline.streaming.clients import clients
from branchline.streaming.on_spark.scored import open_producer
from branchline.streaming.on_spark.source import read_topics
from branchline.streaming.topics import Topics
from support.secure_broker import secure_broker
from support.topics import Topic

pytestmark = [pytest.mark.spark, pytest.mark.slow]
PASSWORD = "Endpoint=sb://hub/;SharedAccessKey=geheim+/="


@pytest.fixture(scope="module")
def kafka_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("secure")
    with secure_broker(folder / "broker", PASSWORD) as settings:
        file = folder / "kafka.yml"
        file.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
        yield file


@pytest.fixture(scope="module")
def topic(kafka_file: Path) -> Topic:
    client = KafkaFile.read(kafka_file, {"EVENTHUB_CONNECTION": PASSWORD}).client
    topic = Topic(dict(client))
    topic.send({"id": "a"}, {"id": "b"})
    return topic


def test_the_worker_s_clients_sign_in(topic: Topic) -> None:
    consumer, producer = clients(Topics(topic.client, topic.name, topic.name), [])
    taken: list[Any] = []
    while len(taken) < 2:
        taken += [each for each in consumer.consume(2, 30) if not each.error()]
    consumer.close()
    assert [each.value() for each in taken] == [b'{"id": "a"}', b'{"id": "b"}']
    assert producer.list_topics(timeout=30).topics[topic.name].partitions


def test_spark_s_client_signs_in_by_the_same_file(lakehouse: Lakehouse, topic: Topic) -> None:
    found = read_topics(lakehouse.spark, topic.client, [topic.name], None, "fail")
    query = (found.selectExpr("CAST(value AS STRING) value").writeStream.format("memory")
             .queryName("signed_in").trigger(availableNow=True).start())
    assert query.awaitTermination(120)
    rows = lakehouse.spark.table("signed_in").collect()
    assert sorted(row.value for row in rows) == ['{"id": "a"}', '{"id": "b"}']


def test_a_wrong_connection_string_is_named_without_a_secret(kafka_file: Path,
                                                             topic: Topic) -> None:
    wrong = KafkaFile.read(kafka_file, {"EVENTHUB_CONNECTION": "Endpoint=sb://wrong"}).client
    topics = Topics(wrong, topic.name, topic.name)
    for attempt in (clients, open_producer):
        with pytest.raises(Unreachable, match="Authentication failed") as refused:
            attempt(topics, [])
        assert "sb://" not in str(refused.value) and "the sign-in" in str(refused.value)


def test_a_broker_whose_certificate_is_not_known_is_refused(topic: Topic) -> None:
    client = {name: value for name, value in topic.client.items() if name != "ssl.ca.location"}
    with pytest.raises(Unreachable, match="certificate verify failed"):
        clients(Topics(client, topic.name, topic.name), [])
