"""Scores the batches of a stream of messages, and sends the scores at once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from branchline.errors import NotInstalled, Unreachable
from branchline.streaming.answers import answering
from branchline.streaming.clients import ANSWER_SECONDS, made, reach
from branchline.streaming.on_spark.models import RecordedModels
from branchline.streaming.progress import Progress
from branchline.streaming.scorer import Answer, Message, Scorer
from branchline.streaming.topics import Topics

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["ID", "Scored", "Stopped", "open_producer"]

ID = "id"  # the header of a score: topic/partition/offset of the message that was scored
IN_FLIGHT = 50_000
WAIT_SECONDS = 0.1


class Stopped(Exception):
    """A batch was not begun, since the stream is being stopped."""


@dataclass
class Scored:
    """Takes batches of messages: online store, features, model, topic of scores.

    The scores are with the broker when a batch ends. A batch that comes again has the same scores
    with the same ids, in the same order within a partition of the topic of scores.
    """

    topics: Topics
    scorer: Scorer
    models: RecordedModels
    progress: Progress
    producer: Any
    problems: list[str]
    stopped: Callable[[], bool]
    is_busy: bool = False
    failure: BaseException | None = None
    stamp: int = 0
    _refused: list[str] = field(default_factory=list)

    def take(self, batch: DataFrame, number: int) -> None:
        """Score a batch; `number` is Spark's.

        Raises:
            Stopped: the stream is being stopped.
            Unreachable: the broker did not take all scores.
        """
        if self.stopped():
            raise Stopped
        self.is_busy = True
        try:
            rows = batch.select("topic", "partition", "offset", "timestamp", "value").toArrow()
            with answering(self.topics, self.problems):
                self._take(rows, self.models.of(number))
        except BaseException as problem:
            self.failure = problem
            raise
        finally:
            self.is_busy = False

    def _take(self, rows: pa.Table, model: Any) -> None:
        self.stamp = max(time.time_ns() // 1000, self.stamp + 1)
        times = [time // 1000 for time in rows["timestamp"].cast(pa.int64()).to_pylist()]
        found = [Message(value, time)
                 for value, time in zip(rows["value"].to_pylist(), times, strict=True)]
        labelled = [topic == self.topics.labels for topic in rows["topic"].to_pylist()]
        events, labels = ([at for at, is_label in enumerate(labelled) if is_label is wanted]
                          for wanted in (False, True))
        scores = self.scorer.score(model, [found[at] for at in events]) if events else []
        delivered = self.scorer.deliver([found[at] for at in labels]) if labels else []
        self._send(scores, [events[each.at] for each in scores], rows)
        self._send(delivered, [labels[each.at] for each in delivered], rows)
        self._flush()
        if not self._saved():
            return self._take(rows, model)
        now = time.time_ns() // 1_000_000
        self.progress.add(len(scores), len(events) - len(scores), len(labels),
                          sum(bool(each.log.get("missed")) for each in delivered),
                          [now - times[at] for at in events])

    def _saved(self) -> bool:
        """Write the histories in memory to the store; False if another process has written it
        meanwhile: then the batch is taken again from there."""
        held = self.scorer.features
        if held.committed({}) and held.save():
            return True
        held.forget()
        return False

    def _send(self, answers: Sequence[Answer], places: Sequence[int], rows: pa.Table) -> None:
        topics, partitions, offsets = (rows[name].to_pylist()
                                       for name in ("topic", "partition", "offset"))
        for each, at in zip(answers, places, strict=True):
            place = f"{topics[at]}/{partitions[at]}/{offsets[at]}".encode()
            if each.score is not None:
                self._produce(self.topics.scores, each.key, each.score, place)
            if self.topics.log:
                self._produce(self.topics.log, each.key, {**each.log, "batch": self.stamp}, place)

    def _produce(self, topic: str, key: str, row: Any, place: bytes) -> None:
        while len(self.producer) >= IN_FLIGHT:
            self.producer.poll(WAIT_SECONDS)
        self.producer.produce(topic, json.dumps(row, separators=(",", ":")), key,
                              headers=[(ID, place)], on_delivery=self._delivered)

    def _delivered(self, error: Any, _: Any) -> None:
        if error is not None:
            self._refused.append(error.str())

    def _flush(self) -> None:
        left = self.producer.flush(2 * ANSWER_SECONDS)
        if left or self._refused:
            said = self._refused[0] if self._refused else f"{left:,} scores are not delivered"
            raise Unreachable(f"kafka://{self.topics.scores}: {said}. Check the broker, and start "
                              "again: the batch is scored again.")


def open_producer(topics: Topics, problems: list[str]) -> Any:
    """A producer that keeps the order of messages; the topics are there.

    Raises:
        NotInstalled: Kafka's client is missing.
        BadInput: a setting is unknown, or a topic is missing.
        Unreachable: the broker does not answer, or refuses.
    """
    try:
        from confluent_kafka import Producer
    except ImportError:
        raise NotInstalled("confluent-kafka: not installed in this environment; scores are sent "
                           "with the extra `kafka` of branchline.") from None
    client = {name: value for name, value in topics.client.items() if name != "group.id"}
    producer = made(Producer, {
        **client, "enable.idempotence": True, "linger.ms": 1, "log_level": 0,
        "queue.buffering.max.messages": 2 * IN_FLIGHT,
        "message.timeout.ms": int(ANSWER_SECONDS * 1000),
        "error_cb": lambda error: problems.append(f"{error.name()} {error.str()}")})
    with answering(topics, problems):
        reach(producer, topics.every, problems)
    return producer
