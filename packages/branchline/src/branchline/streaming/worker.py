"""Scores a topic without Spark: events in, scores out, each batch in one Kafka transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from branchline.streaming.clients import (ANSWER_SECONDS, Interrupted, Topics, answering,
                                          check_topics, clients)
from branchline.streaming.followed import Followed
from branchline.streaming.progress import Progress
from branchline.streaming.scorer import Answer, Message, Scorer

__all__ = ["Topics", "work"]

AT_ONCE = 2000
WAIT_SECONDS = 0.05


def work(topics: Topics, scorer: Scorer, model: Followed, progress: Progress,
         stop: Callable[[], bool]) -> None:
    """Score until `stop` returns True; a batch that was begun is finished.

    Scores, the log and the offsets reached are written in one Kafka transaction: after a kill,
    readers of committed messages see no score twice and miss none. The online store is written
    before, where a replay changes nothing. A model is replaced between two batches.

    Raises:
        BadInput: a topic is missing, or a setting is wrong.
        RunFailed: another worker with the same name has started.
        Unreachable: the broker does not answer for half a minute, or refuses.
    """
    while not stop():
        problems: list[str] = []
        consumer, producer = clients(topics, problems)
        worker = _Worker(topics, scorer, model, progress, consumer, producer, problems)
        try:
            worker.run(stop)
        except Interrupted:
            with suppress(Exception):  # new clients abort it, too
                producer.abort_transaction(ANSWER_SECONDS)
        finally:
            consumer.close()
    progress.show_end()


@dataclass
class _Worker:
    """One pair of clients, until it is stopped or its transaction is aborted."""

    topics: Topics
    scorer: Scorer
    model: Followed
    progress: Progress
    consumer: Any
    producer: Any
    problems: list[str]
    stamp: int = 0

    def run(self, stop: Callable[[], bool]) -> None:
        while not stop():
            with answering(self.topics, self.problems):
                messages = self._messages()
                if messages:
                    self._take(messages)
                elif self.problems:
                    self._check_broker()
                if self.progress.is_due:
                    self.progress.show(self._lag(), self.model.current[0])

    def _messages(self) -> list[Any]:
        from confluent_kafka import KafkaException
        found: list[Any] = self.consumer.consume(AT_ONCE, WAIT_SECONDS)
        for message in found:
            if message.error():
                raise KafkaException(message.error())
        return found

    def _check_broker(self) -> None:
        """After an error and without messages: does it still answer?"""
        check_topics(self.consumer, self.topics.every)
        self.problems.clear()

    def _take(self, found: Sequence[Any]) -> None:
        self.stamp = max(time.time_ns() // 1000, self.stamp + 1)
        events, labels = ([Message(each.value(), each.timestamp()[1]) for each in found
                           if (each.topic() == self.topics.labels) is wanted]
                          for wanted in (False, True))
        scores = self.scorer.score(self.model.current[1], events) if events else []
        delivered = self.scorer.deliver(labels) if labels else []
        self._commit([*scores, *delivered])
        now = time.time_ns() // 1_000_000
        self.progress.add(len(scores), len(events) - len(scores), len(labels),
                          sum(bool(each.log.get("missed")) for each in delivered),
                          [now - each.time for each in events])

    def _commit(self, answers: Sequence[Answer]) -> None:
        self.producer.begin_transaction()
        for each in answers:
            if each.score is not None:
                self._produce(self.topics.scores, each.key, each.score)
            if self.topics.log:
                self._produce(self.topics.log, each.key, {**each.log, "batch": self.stamp})
        self.producer.send_offsets_to_transaction(
            self.consumer.position(self.consumer.assignment()),
            self.consumer.consumer_group_metadata(), ANSWER_SECONDS)
        self.producer.commit_transaction(ANSWER_SECONDS)

    def _produce(self, topic: str, key: str, row: Any) -> None:
        self.producer.produce(topic, json.dumps(row, separators=(",", ":")), key)

    def _lag(self) -> int:
        """How many messages wait, by what the broker said with the last ones."""
        assigned = self.consumer.assignment()
        total = 0
        for place in self.consumer.position(assigned):
            low, end = self.consumer.get_watermark_offsets(place, cached=True)
            total += max(end - max(place.offset, low, 0), 0)
        return total
