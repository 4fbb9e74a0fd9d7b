"""A worker without Spark: transactions of one topic in, their scores in another, exactly once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from branchline.features.online import Event
from fraud_detection.data.landed_columns import Columns
from fraud_detection.scoring.messages import events_of
from fraud_detection.scoring.score import Score, Scoring

__all__ = ["Topics", "work"]

AT_ONCE = 500
WAIT_SECONDS = 0.1
TRANSACTION_SECONDS = 60


@dataclass(frozen=True)
class Topics:
    """Where transactions come from and scores go; `worker` is this worker's name in the group.

    `client` are the settings of Kafka's client, `group.id` among them.
    """

    client: Mapping[str, str]
    transactions: str
    scores: str
    worker: str


def work(topics: Topics, columns: Columns, scoring: Scoring, stop: Callable[[], bool]) -> int:
    """Score until `stop` returns True; returns how many transactions were scored.

    Scores and the offsets reached are written in one Kafka transaction: after a kill, readers of
    committed messages see no score twice and miss none. The online store is written before, where a
    replay changes nothing. Messages that batch would put into quarantine are skipped. A Kafka error
    ends the worker: start it again.
    """
    consumer, producer = _clients(topics)
    scored = 0
    try:
        while not stop():
            messages = _messages(consumer)
            if messages:
                scores = scoring.score(_events(messages, columns))
                _commit(consumer, producer, topics.scores, scores)
                scored += len(scores)
    finally:
        consumer.close()
    return scored


def _clients(topics: Topics) -> tuple[Any, Any]:
    from confluent_kafka import Consumer, Producer
    consumer = Consumer({**topics.client, "enable.auto.commit": False,
                         "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
    consumer.subscribe([topics.transactions])
    shared = {name: value for name, value in topics.client.items() if name != "group.id"}
    producer = Producer({**shared, "transactional.id": f"scores-{topics.worker}", "linger.ms": 1})
    producer.init_transactions(TRANSACTION_SECONDS)
    return consumer, producer


def _messages(consumer: Any) -> list[Any]:
    from confluent_kafka import KafkaException
    found: list[Any] = consumer.consume(AT_ONCE, WAIT_SECONDS)
    for message in found:
        if message.error():
            raise KafkaException(message.error())
    return found


def _events(messages: Sequence[Any], columns: Columns) -> list[Event]:
    found = events_of([message.value() for message in messages],
                      [message.timestamp()[1] for message in messages], columns)
    return [event for event in found if event is not None]


def _commit(consumer: Any, producer: Any, topic: str, scores: Sequence[Score]) -> None:
    producer.begin_transaction()
    for each in scores:
        producer.produce(topic, json.dumps(_as_row(each)), each.event.entities["customer_id"])
    producer.send_offsets_to_transaction(consumer.position(consumer.assignment()),
                                         consumer.consumer_group_metadata(), TRANSACTION_SECONDS)
    producer.commit_transaction(TRANSACTION_SECONDS)


def _as_row(each: Score) -> dict[str, Any]:
    return {"transaction_id": each.event.id, "event_time": each.event.time,
            "customer_id": each.event.entities["customer_id"], "score": each.score,
            "is_alert": each.is_alert, "model_version": each.model_version}
