"""Where a worker is in its partitions, what the online store lacks, and which labels wait."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from branchline.features.online import HeldFeatures
from branchline.streaming.clients import ANSWER_SECONDS, Topics

__all__ = ["Places"]

AHEAD = 1000  # milliseconds


class Places:
    """The partitions of a worker.

    The store is saved after the scores are committed: after a kill it lacks the last messages.
    They are read again, and go into the store without a second score. A label that was sent a
    second after the events that are read now waits for its event.
    """

    def __init__(self, topics: Topics, features: HeldFeatures) -> None:
        self._topics, self._features = topics, features
        self._scored: dict[tuple[str, int], int] = {}  # up to where, if the store is behind
        self._newest: dict[tuple[str, int], float] = {}  # when each event was sent; at an end: inf
        self._waiting: list[Any] = []
        self._is_paused = False

    def assigned(self, consumer: Any, partitions: Sequence[Any]) -> None:
        """Begin with what is not in the store; called by Kafka's client."""
        known = consumer.list_topics(timeout=ANSWER_SECONDS).topics
        if len(partitions) < sum(len(known[name].partitions) for name in self._topics.incoming):
            self._features.share()  # the group has another worker
        places = consumer.committed(partitions, 2 * ANSWER_SECONDS)
        saved = self._features.offsets([_name(place) for place in places])
        is_new = None in saved and self._features.is_empty
        self._forget()
        for place, offset in zip(places, saved, strict=True):
            begin = 0 if is_new else offset
            if begin is not None and begin < place.offset:
                self._scored[place.topic, place.partition] = place.offset
                place.offset = begin
            if place.topic == self._topics.events:
                self._newest[place.topic, place.partition] = 0
        consumer.assign(places)

    def revoked(self, consumer: Any, partitions: Sequence[Any]) -> None:
        """Leave nothing unsaved to the next worker; called by Kafka's client."""
        self._forget()
        if not self._features.save():
            self._features.forget()

    def _forget(self) -> None:
        self._scored, self._newest, self._waiting, self._is_paused = {}, {}, [], False

    def ready(self, consumer: Any, messages: Sequence[Any]) -> list[Any]:
        """The messages to take now, with labels that waited; without the ends of partitions."""
        found = []
        for each in messages:
            if each.topic() == self._topics.labels:
                if not each.error():
                    self._waiting.append(each)
            elif each.error():
                self._newest[each.topic(), each.partition()] = inf
            else:
                found.append(each)
                self._newest[each.topic(), each.partition()] = each.timestamp()[1]
        if self._waiting:
            until = min(self._newest.values(), default=inf) + AHEAD
            found += [each for each in self._waiting if each.timestamp()[1] <= until]
            self._waiting = [each for each in self._waiting if each.timestamp()[1] > until]
            self._pause(consumer)
        return found

    def _pause(self, consumer: Any) -> None:
        """Read no more labels while some are waiting."""
        if self._is_paused != bool(self._waiting):
            self._is_paused = not self._is_paused
            labels = [place for place in consumer.assignment()
                      if place.topic == self._topics.labels]
            (consumer.pause if self._is_paused else consumer.resume)(labels)

    def split(self, messages: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        """Those that were scored before, and the others."""
        if not self._scored:
            return [], messages
        parts: tuple[list[Any], list[Any]] = ([], [])
        for each in messages:
            parts[each.offset() >= self._scored.get((each.topic(), each.partition()), 0)
                  ].append(each)
        return parts

    def reached(self, consumer: Any) -> list[Any]:
        """The offsets up to which all messages are taken."""
        waiting: dict[tuple[str, int], int] = {}
        for each in self._waiting:
            waiting.setdefault((each.topic(), each.partition()), each.offset())
        places = [place for place in consumer.position(consumer.assignment()) if place.offset >= 0]
        for place in places:
            place.offset = waiting.get((place.topic, place.partition), place.offset)
        return places

    def names(self, places: Sequence[Any]) -> dict[str, int]:
        """The offsets by their names in the store."""
        return {_name(place): place.offset for place in places}

    def to_commit(self, places: Sequence[Any]) -> list[Any]:
        """The offsets for the group, which never go back."""
        for place in places:
            scored = self._scored.get((place.topic, place.partition), 0)
            if place.offset >= scored:
                self._scored.pop((place.topic, place.partition), None)
            place.offset = max(place.offset, scored)
        return list(places)


def _name(place: Any) -> str:
    return f"kafka://{place.topic}/{place.partition}"
