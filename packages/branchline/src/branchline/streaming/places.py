"""Where a worker is in its partitions, what the online store lacks, and which labels wait."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, TypeAlias

from branchline.features.online import HeldFeatures
from branchline.streaming.clients import ANSWER_SECONDS
from branchline.streaming.topics import Topics

__all__ = ["Places"]

AHEAD = 1000  # milliseconds
Key: TypeAlias = tuple[str, int]  # topic and partition


class Places:
    """The partitions of a worker.

    The store is saved after the scores are committed: after a kill it lacks the last messages.
    They are read again, and go into the store without a second score; until all partitions are
    where they were, new messages are held, as they need all of that. A label that was sent a
    second after the events that are read now waits for its event.
    """

    def __init__(self, topics: Topics, features: HeldFeatures) -> None:
        self._topics, self._features = topics, features
        self._forget()

    def _forget(self) -> None:
        self._begun: dict[Key, int] = {}  # where each partition is read from
        self._scored: dict[Key, int] = {}  # up to where, if the store is behind
        self._behind: set[Key] = set()  # where not all of that is read again
        self._newest: dict[Key, float] = {}  # when each event was sent; at an end: inf
        self._waiting: list[Any] = []  # labels
        self._held: list[Any] = []
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
                self._scored[_key(place)] = place.offset
                place.offset = begin
            self._begun[_key(place)] = max(place.offset, 0)
            if place.topic == self._topics.events:
                self._newest[_key(place)] = 0
        self._behind.update(self._scored)
        consumer.assign(places)

    def revoked(self, consumer: Any, partitions: Sequence[Any]) -> None:
        """Leave nothing unsaved to the next worker; called by Kafka's client."""
        self._forget()
        if not self._features.save():
            self._features.forget()

    def ready(self, consumer: Any, messages: Sequence[Any]) -> list[Any]:
        """The messages to take now, with those that waited; without the ends of partitions."""
        found = []
        for each in messages:
            key = each.topic(), each.partition()
            if each.error():
                self._behind.discard(key)  # as after a loss by retention
            elif each.offset() + 1 >= self._scored.get(key, 0):
                self._behind.discard(key)
            if each.topic() == self._topics.labels:
                if not each.error():
                    self._waiting.append(each)
            else:
                found += [] if each.error() else [each]
                self._newest[key] = inf if each.error() else each.timestamp()[1]
        if self._waiting:
            found += self._labels()
            self._pause(consumer)
        return self._in_turn(found)

    def _labels(self) -> list[Any]:
        """The labels that need not wait; those that were taken before need only the same events."""
        until = min(self._newest.values(), default=inf) + AHEAD
        has_events = self._behind.isdisjoint(self._newest)
        parts: tuple[list[Any], list[Any]] = ([], [])
        for each in self._waiting:
            is_ready = each.timestamp()[1] <= until or (has_events and self._is_before(each))
            parts[is_ready].append(each)
        self._waiting, found = parts
        return found

    def _in_turn(self, messages: list[Any]) -> list[Any]:
        """New messages only if the store has all that came before them."""
        if not self._behind and not any(map(self._is_before, self._waiting)):
            messages, self._held = [*self._held, *messages], []
            return messages
        self._held += [each for each in messages if not self._is_before(each)]
        return [each for each in messages if self._is_before(each)]

    def _is_before(self, message: Any) -> bool:
        """Whether it was scored before."""
        return bool(message.offset() < self._scored.get((message.topic(), message.partition()), 0))

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
            parts[not self._is_before(each)].append(each)
        return parts

    def reached(self, consumer: Any) -> list[Any]:
        """The offsets up to which all messages are taken."""
        waiting: dict[Key, int] = {}
        for each in (*self._held, *self._waiting):
            key = each.topic(), each.partition()
            waiting[key] = min(each.offset(), waiting.get(key, each.offset()))
        places: list[Any] = consumer.position(consumer.assignment())
        for place in places:  # without a message yet, a position is negative
            read = place.offset if place.offset >= 0 else self._begun.get(_key(place), 0)
            place.offset = waiting.get(_key(place), read)
        return places

    def names(self, places: Sequence[Any]) -> dict[str, int]:
        """The offsets by their names in the store."""
        return {_name(place): place.offset for place in places}

    def to_commit(self, places: Sequence[Any]) -> list[Any]:
        """The offsets for the group, which never go back."""
        for place in places:
            scored = self._scored.get(_key(place), 0)
            if place.offset >= scored:
                self._scored.pop(_key(place), None)
            place.offset = max(place.offset, scored)
        return list(places)


def _key(place: Any) -> Key:
    return place.topic, place.partition


def _name(place: Any) -> str:
    return f"kafka://{place.topic}/{place.partition}"
