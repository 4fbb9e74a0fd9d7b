"""What `branchline score-stream --log TOPIC` logged, read from the topic."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from branchline.errors import BadInput, Unreachable
from branchline.lakehouse.sources.kafka_offsets import ANSWER_SECONDS, Span, consumer, spans

__all__ = ["Logged", "read_log"]

AT_ONCE = 1000
NEEDED = ("batch", "transaction_id")


@dataclass(frozen=True)
class Logged:
    """The rows of scored events, and those of labels that were delivered, as logged."""

    events: list[dict[str, Any]] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[dict[str, Any]]) -> Logged:
        found = cls()
        for row in rows:
            (found.labels if "label" in row else found.events).append(row)
        return found


def read_log(topic: str, client: Mapping[str, str]) -> Logged:
    """Everything that is committed in the topic now.

    Raises:
        BadInput: there is no such topic, or a message was not logged by `score-stream`.
        Unreachable: the broker does not answer, or refuses.
    """
    return Logged.of(row for span in spans(topic, client, {}) for row in _rows(topic, client, span))


def _rows(topic: str, client: Mapping[str, str], span: Span) -> Iterable[dict[str, Any]]:
    from confluent_kafka import TopicPartition
    problems: list[str] = []
    reader = consumer({**client, "isolation.level": "read_committed"}, problems)
    try:
        reader.assign([TopicPartition(topic, span.partition, span.first)])
        while reader.position([TopicPartition(topic, span.partition)])[0].offset < span.end:
            messages = reader.consume(AT_ONCE, ANSWER_SECONDS)
            if not messages:
                raise Unreachable(f"kafka://{topic}/{span.partition}: does not answer: "
                                  f"{problems[-1] if problems else 'no message came'}.")
            yield from (_row(topic, message) for message in messages if not message.error())
    finally:
        reader.close()


def _row(topic: str, message: Any) -> dict[str, Any]:
    try:
        found = json.loads(message.value() or b"")
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(name in found for name in NEEDED):
        raise BadInput(f"kafka://{topic}/{message.partition()}, offset {message.offset()}: was not "
                       "logged by `branchline score-stream --log`; expected a topic of its own.")
    return found
