"""Scores a topic without Spark: events in, scores out, each batch in one Kafka transaction."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from branchline.streaming.answers import Interrupted, answering, in_time
from branchline.streaming.clients import ANSWER_SECONDS, check_topics, clients
from branchline.streaming.followed import Followed
from branchline.streaming.places import Places
from branchline.streaming.progress import Progress
from branchline.streaming.scorer import Answer, Message, Scorer
from branchline.streaming.topics import Topics

__all__ = ["Topics", "work"]

AT_ONCE = 2000
WAIT_SECONDS = 0.03
# A batch makes many objects and no cycles: by default, looking for cycles is a seventh of the CPU.
COLLECT_AFTER = (200_000, 50, 50)


def work(topics: Topics, scorer: Scorer, model: Followed, progress: Progress,
         stop: Callable[[], bool]) -> None:
    """Score until `stop` returns True; a batch that was begun is finished.

    Scores, the log and the offsets reached are written in one Kafka transaction: after a kill,
    readers of committed messages see no score twice and miss none. The online store is saved
    after that, with the offsets: what it lacks after a kill is read again, without scores. A
    model is replaced between two batches.

    Raises:
        BadInput: a topic is missing, or a setting is wrong.
        RunFailed: another worker with the same name has started.
        Unreachable: the broker does not answer for half a minute, or refuses.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    while not stop():
        problems: list[str] = []
        places = Places(topics, scorer.features)
        consumer, producer = clients(topics, problems, on_assign=places.assigned,
                                     on_revoke=places.revoked)
        worker = _Worker(topics, scorer, model, progress, consumer, producer, problems, places)
        try:
            worker.run(stop)
            scorer.features.save()
        except Interrupted:
            with suppress(Exception):  # new clients abort it, too
                producer.abort_transaction(ANSWER_SECONDS)
        finally:
            scorer.features.forget()  # what was not committed
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
    places: Places
    stamp: int = 0

    def run(self, stop: Callable[[], bool]) -> None:
        while not stop():
            with answering(self.topics, self.problems):
                messages = self._messages()
                if messages:
                    self._take(messages)
                elif self.problems:
                    self._check_broker()
                else:
                    _check(self.scorer.features.save_due())
                if self.progress.is_due:
                    self.progress.show(self._lag(), self.model.current[0])

    def _messages(self) -> list[Any]:
        from confluent_kafka import KafkaException
        found: list[Any] = self.consumer.consume(AT_ONCE, WAIT_SECONDS)
        for message in found:
            if (error := message.error()) and error.name() != "_PARTITION_EOF":
                raise KafkaException(error)
        return self.places.ready(self.consumer, found)

    def _check_broker(self) -> None:
        """After an error and without messages: does it still answer?"""
        check_topics(self.consumer, self.topics.every)
        self.problems.clear()

    def _take(self, found: Sequence[Any]) -> None:
        before, new = self.places.split(found)
        if before:
            self._restore(*self._sorted(before))
        if new:
            self._score(*self._sorted(new))
        reached = self.places.names(self.places.reached(self.consumer))
        _check(self.scorer.features.committed(reached))

    def _sorted(self, found: Sequence[Any]) -> tuple[list[Message], list[Message]]:
        """Events, and labels."""
        parts: tuple[list[Message], list[Message]] = ([], [])
        for each in found:
            parts[each.topic() == self.topics.labels].append(
                Message(each.value(), each.timestamp()[1]))
        return parts

    def _restore(self, events: Sequence[Message], labels: Sequence[Message]) -> None:
        if events:
            self.scorer.restore(events)
        if labels:
            self.scorer.deliver(labels)

    def _score(self, events: Sequence[Message], labels: Sequence[Message]) -> None:
        self.stamp = max(time.time_ns() // 1000, self.stamp + 1)
        scores = self.scorer.score(self.model.current[1], events) if events else []
        delivered = self.scorer.deliver(labels) if labels else []
        self._commit([*scores, *delivered])
        now = time.time_ns() // 1_000_000
        self.progress.add(len(scores), len(events) - len(scores), len(labels),
                          sum(bool(each.log.get("missed")) for each in delivered),
                          [now - each.time for each in events])

    def _commit(self, answers: Sequence[Answer]) -> None:
        import orjson
        produce, topics = self.producer.produce, self.topics
        self.producer.begin_transaction()
        for key, score, log, _ in answers:
            if score is not None:
                produce(topics.scores, orjson.dumps(score), key)
            if topics.log:
                produce(topics.log, orjson.dumps({**log, "batch": self.stamp}), key)
        in_time(self._end_transaction, 2 * ANSWER_SECONDS)

    def _end_transaction(self) -> None:
        self.producer.send_offsets_to_transaction(
            self.places.to_commit(self.places.reached(self.consumer)),
            self.consumer.consumer_group_metadata(), ANSWER_SECONDS)
        self.producer.commit_transaction(ANSWER_SECONDS)

    def _lag(self) -> int:
        """How many messages wait, by what the broker said with the last ones."""
        total = 0
        for place in self.places.reached(self.consumer):
            low, end = self.consumer.get_watermark_offsets(place, cached=True)
            total += max(end - max(place.offset, low), 0)
        return total


def _check(is_alone: bool) -> None:
    """
    Raises:
        Interrupted: another process writes the store: begin again with what is in it.
    """
    if not is_alone:
        raise Interrupted("another process has written the online store")
