"""The histories of a batch's entities, loaded from their records and updated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isinf
from typing import NamedTuple, Self

from branchline.errors import BadInput
from branchline.features.kernel import DAY, Definition
from branchline.features.online.history import History
from branchline.features.online.aggregates import Row
from branchline.features.online.plan import Plan

__all__ = ["Event", "Loaded", "Plans"]

LARGEST = 1e12  # of a value: its sums are whole millionths in 64 bits
SLACK = 8  # a history is cut once it is 1 / SLACK longer than necessary


class Event(NamedTuple):
    """Something that happened: its id, time in milliseconds since 1970 UTC, entities, values.

    `entities` maps the column in the definitions to the entity, such as `{"card": "17"}`. Values
    that are not known yet are left out.
    """

    id: str
    time: int
    entities: Mapping[str, str]
    values: Mapping[str, float]

    @property
    def order(self) -> tuple[int, int, str]:
        """Sorts events as `kernel.time_order` does."""
        return self.time, len(self.id), self.id

    def check(self) -> None:
        """
        Raises:
            BadInput: a value is infinite or too large.
        """
        for name, value in self.values.items():
            if isinf(value) or abs(value) > LARGEST:
                raise BadInput(f"event {self.id}: {name} is {value:g}; expected a number of at "
                               f"most {LARGEST:g}.")


class Plans:
    """The plans of all entities, and how much older than the newest event an event may be."""

    def __init__(self, listed: Sequence[Definition], lateness_days: int) -> None:
        self.by_entity = {
            entity: Plan([each for each in listed if each.entity == entity])
            for entity in dict.fromkeys(each.entity for each in listed)}
        self.lateness = lateness_days * DAY

    def keys(self, events: Iterable[Event]) -> list[str]:
        """The keys of the events' histories, each once.

        Raises:
            BadInput: a value is infinite or too large.
        """
        events = list(events)
        for event in events:
            event.check()
        return list(dict.fromkeys(key for event in events for _, key in self.places(event)))

    def places(self, event: Event) -> list[tuple[Plan, str]]:
        """Plan and key of each history that the event belongs to."""
        return [(plan, f"{entity}/{event.entities[entity]}")
                for entity, plan in self.by_entity.items() if entity in event.entities]

    def of_values(self, event: Event) -> Event:
        """The event with only those entities whose definitions use one of its values, if any."""
        used = {entity: name for entity, name in event.entities.items() if entity in self.by_entity
                and not event.values.keys().isdisjoint(self.by_entity[entity].raw)}
        return Event(event.id, event.time, used or event.entities, event.values)

    def has(self, key: str) -> bool:
        """Whether the key is that of a history."""
        return key.partition("/")[0] in self.by_entity

    def of(self, key: str) -> Plan:
        return self.by_entity[key.partition("/")[0]]

    def reach(self, plan: Plan) -> int:
        """How long an event is kept, in milliseconds: the windows' reach plus lateness."""
        return plan.reach + self.lateness


class Loaded:
    """Histories by key; those of the events that are added, and of the labels that are set."""

    def __init__(self, plans: Plans, histories: Mapping[str, History]) -> None:
        self._plans, self._histories = plans, histories

    @classmethod
    def of(cls, plans: Plans, keys: Sequence[str], records: Sequence[bytes | None]) -> Self:
        return cls(plans, {key: plans.of(key).history(record)
                           for key, record in zip(keys, records, strict=True)})

    def add(self, events: Sequence[Event]) -> list[Row | None]:
        """Insert the events; the rows of each, or None if too late for one of its entities."""
        rows: dict[int, Row | None] = {}
        for at in sorted(range(len(events)), key=lambda at: events[at].order):
            parts = [self._row(plan, key, events[at])
                     for plan, key in self._plans.places(events[at])]
            row: Row | None = {}
            for part in parts:
                row = None if row is None or part is None else row | part
            rows[at] = row
        return [rows[at] for at in range(len(events))]

    def _row(self, plan: Plan, key: str, event: Event) -> Row | None:
        history = self._histories[key]
        if history.times and event.time < history.times[-1] - self._plans.lateness:
            return None
        at, is_there = history.place(event.time, event.id)
        if is_there:
            return plan.row(history, at)
        return plan.insert(history, at, event.time, event.id, event.values)

    def set(self, label: Event) -> bool:
        """Set the values of an event; False if it is not there."""
        found = False
        for plan, key in self._plans.places(label):
            history = self._histories[key]
            at, is_there = history.place(label.time, label.id)
            if is_there:
                plan.set(history, at, label.values)
                found = True
        return found

    def records(self) -> list[bytes | None]:
        """All histories as records."""
        return [self.record(key) for key in self._histories]

    def record(self, key: str) -> bytes | None:
        """The history as a record, without events that no window can see any more."""
        plan, history = self._plans.of(key), self._histories[key]
        if not history.times:
            return None
        reach = self._plans.reach(plan)
        if history.times[0] <= history.times[-1] - reach - reach // SLACK:
            history.forget(history.times[-1] - reach)
        return history.packed(plan.fingerprint)
