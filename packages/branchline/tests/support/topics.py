"""Topics of a broker, and messages in them."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

SECONDS = 60


class Topic:
    """A new topic; `client` are the settings of Kafka's client."""

    def __init__(self, client: dict[str, str], partitions: int = 1) -> None:
        self.client = {"group.id": "tests", **client}
        self.name = f"events-{uuid4().hex[:8]}"
        self._admin = AdminClient(client)
        self._producer = Producer(client)
        self._wait(self._admin.create_topics([NewTopic(self.name, partitions, 1)]))

    def _wait(self, futures: dict[Any, Any]) -> None:
        for future in futures.values():
            future.result(SECONDS)

    def send(self, *values: object, partition: int = 0, **more: Any) -> None:
        """Bytes and None as they are, everything else as JSON; `more` goes to Producer.produce."""
        for value in values:
            content = value if value is None or isinstance(value, bytes) else json.dumps(value)
            self._producer.produce(self.name, content, partition=partition, **more)
        assert self._producer.flush(SECONDS) == 0

    def end(self, partition: int = 0) -> int:
        """The offset after the last message."""
        consumer = Consumer(self.client)
        found = consumer.get_watermark_offsets(TopicPartition(self.name, partition), SECONDS)
        consumer.close()
        assert found
        return int(found[1])

    def forget(self, before: int, partition: int = 0) -> None:
        """Delete the messages before an offset, as retention does."""
        self._wait(self._admin.delete_records([TopicPartition(self.name, partition, before)]))


def received(topic: Topic, count: int, quiet: float = 2.0) -> list[dict[str, Any]]:
    """The committed messages of a topic: waits for `count`, then for some quiet seconds."""
    consumer = Consumer({**topic.client, "group.id": f"readers of {topic.name}",
                         "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
    consumer.subscribe([topic.name])
    found: list[dict[str, Any]] = []
    end = time.monotonic() + 120
    while time.monotonic() < end:
        messages = consumer.consume(1000, quiet)
        found += [json.loads(message.value()) for message in messages if not message.error()]
        if len(found) >= count and not messages:
            break
    consumer.close()
    return found
