"""Features of live events, from an entity's recent events in a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from branchline.errors import BadInput
from branchline.features.kernel import Definition
from branchline.features.online.history import History
from branchline.features.online.loaded import Event, Loaded, Plans
from branchline.features.online.aggregates import Row
from branchline.features.online.store import Store

__all__ = ["FILLED", "MARK", "META", "OnlineFeatures", "check_filled"]

MARK = "being filled"
FILLED = "filled"  # when, in microseconds since 1970
META = (MARK, FILLED)  # what is no history
AT_ONCE = 1000


class OnlineFeatures:
    """Events in, features out: the same, to the last bit, as the kernel computes from all events.

    Args:
        store: where the entities' recent events are.
        listed: the definitions, of any number of entities, in the order in which they are computed.
        lateness_days: how much older than its entity's newest event an event may be.

    Raises:
        BadInput: filling the store was interrupted.
    """

    def __init__(self, store: Store, listed: Sequence[Definition], lateness_days: int = 7) -> None:
        self._store = store
        self._plans = Plans(listed, lateness_days)
        check_filled(store)

    @property
    def filled(self) -> int:
        """When the store was last filled from past events, in microseconds since 1970; 0: never."""
        return int(self._store.read([FILLED])[0] or 0)

    def append(self, events: Sequence[Event]) -> list[Row | None]:
        """Add the events, all or none, and compute their values and features.

        An event that is already there stays as it is: a replay changes nothing. Events of one batch
        see each other, by their times. None stands for an event that came too late for one of its
        entities, such as the card; it is added to the others.

        Raises:
            BadInput: a value is infinite or too large; nothing is added.
        """
        rows: list[Row | None] = []
        keys = self._keys(events)

        def change(records: list[bytes | None]) -> list[bytes | None]:
            loaded = Loaded.of(self._plans, keys, records)
            rows[:] = loaded.add(events)
            return loaded.records()

        self._store.update(keys, change)
        return rows

    def features(self, events: Sequence[Event]) -> list[Row | None]:
        """What `append` would return; nothing is added."""
        keys = self._keys(events)
        return Loaded.of(self._plans, keys, self._store.read(keys)).add(events)

    def deliver(self, labels: Sequence[Event]) -> list[Event]:
        """Set values that became known later, such as a label; returns those without their event.

        The definitions' delays decide from when on a label counts. A missing event is either yet to
        come (deliver its label again then) or older than the windows reach.

        Raises:
            BadInput: a value is infinite or too large; nothing is set.
        """
        missed: list[Event] = []
        needed = [self._plans.of_values(label) for label in labels]
        keys = self._keys(needed)

        def change(records: list[bytes | None]) -> list[bytes | None]:
            loaded = Loaded.of(self._plans, keys, records)
            missed[:] = [label for label, part in zip(labels, needed, strict=True)
                         if not loaded.set(part)]
            return loaded.records()

        self._store.update(keys, change)
        return missed

    def _keys(self, events: Iterable[Event]) -> list[str]:
        return self._plans.keys(events)

    def expire(self, now: int) -> int:
        """Forget entities with no event that a window can still see from `now` on; how many."""
        keys, gone = [key for key in self._store.keys() if self._plans.has(key)], 0
        for first in range(0, len(keys), AT_ONCE):
            some = keys[first:first + AT_ONCE]
            left: list[bytes | None] = []

            def change(records: list[bytes | None]) -> list[bytes | None]:
                left[:] = [record if record and self._is_seen(key, record, now) else None
                           for key, record in zip(some, records, strict=True)]
                return left

            self._store.update(some, change)
            gone += left.count(None)
        return gone

    def _is_seen(self, key: str, record: bytes, now: int) -> bool:
        plan = self._plans.of(key)
        return plan.history(record).times[-1] > now - self._plans.reach(plan)

    def history(self, entity: str, name: str) -> History:
        """The events in the store for an entity, such as ("card", "17")."""
        record = self._store.read([f"{entity}/{name}"])[0]
        return self._plans.by_entity[entity].history(record)


def check_filled(store: Store) -> None:
    """
    Raises:
        BadInput: filling the store was interrupted.
    """
    if store.read([MARK]) != [None]:
        raise BadInput("online store: filling it was interrupted. Fill it again.")
