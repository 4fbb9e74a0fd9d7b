"""Features of a stream's events, with the histories in memory and saved with the offsets reached.

The stream is the journal: what was not saved is taken again from the offsets that are in the store.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from branchline.features.kernel import Definition
from branchline.features.online.aggregates import Row
from branchline.features.online.features import FILLED, check_filled
from branchline.features.online.history import History
from branchline.features.online.loaded import Event, Loaded, Plans
from branchline.features.online.store import Store

__all__ = ["HeldFeatures"]

SAVE_SECONDS = 5.0
MOST = 100_000  # histories in memory, some 6 KB each


class _Batch(NamedTuple):
    """A batch of the stream, when it was committed, and the offsets after it."""

    number: int
    time: float
    offsets: Mapping[str, int]


class HeldFeatures:
    """As `OnlineFeatures`, for one process that takes a stream in batches.

    Call `committed` after each batch, when its results are safe. Histories that changed are written
    within `seconds` of that; where other processes write the store too, after each batch.

    Raises:
        BadInput: filling the store was interrupted.
    """

    def __init__(self, store: Store, listed: Sequence[Definition], lateness_days: int = 7,
                 seconds: float = SAVE_SECONDS) -> None:
        self._store, self._seconds = store, seconds
        self._plans = Plans(listed, lateness_days)
        check_filled(store)
        self.is_shared = False
        self.forget()

    def forget(self) -> None:
        """Forget everything that is not in the store; go on from the offsets in it."""
        self._histories: dict[str, History] = {}
        self._read: dict[str, bytes | None] = {}  # only if shared
        self._changed: dict[str, int] = {}  # since which batch, in its order
        self._taken: list[Callable[[Loaded], object]] = []
        self._batches: deque[_Batch] = deque()
        self._noted: dict[str, bytes | None] = {}  # the offsets as they are in the store
        self._number = 0
        self._version = self._store.version()
        self.is_shared = self.is_shared or self._version is None

    def share(self) -> None:
        """Other processes write the store from now on, too; forget what is not in it."""
        self.is_shared = True
        self.forget()

    @property
    def filled(self) -> int:
        """When the store was last filled from past events, in microseconds since 1970; 0: never."""
        return int(self._store.read([FILLED])[0] or 0)

    @property
    def is_empty(self) -> bool:
        return next(iter(self._store.keys()), None) is None

    def offsets(self, names: Sequence[str]) -> list[int | None]:
        """The offsets up to which the stream is in the store."""
        self._noted = dict(zip(names, self._store.read(names), strict=True))
        return [None if found is None else int(found) for found in self._noted.values()]

    def append(self, events: Sequence[Event]) -> list[Row | None]:
        """Add the events and compute their features; see `OnlineFeatures.append`."""
        loaded = self._loaded(self._plans.keys(events), lambda again: again.add(events))
        return loaded.add(events)

    def deliver(self, labels: Sequence[Event]) -> list[Event]:
        """Set values that became known later; see `OnlineFeatures.deliver`."""
        needed = [self._plans.of_values(label) for label in labels]
        loaded = self._loaded(self._plans.keys(needed),
                              lambda again: [again.set(part) for part in needed])
        return [label for label, part in zip(labels, needed, strict=True) if not loaded.set(part)]

    def _loaded(self, keys: Sequence[str], change: Callable[[Loaded], object]) -> Loaded:
        """The histories in memory, with those of the keys, which are about to change."""
        missing = [key for key in keys if key not in self._histories]
        for key, record in zip(missing, self._store.read(missing), strict=True):
            self._histories[key] = self._plans.of(key).history(record)
            if self.is_shared:
                self._read[key] = record
        if self.is_shared:
            self._taken.append(change)
        for key in keys:
            self._changed.setdefault(key, self._number)
        return Loaded(self._plans, self._histories)

    def committed(self, offsets: Mapping[str, int]) -> bool:
        """The batch is safe, and these are the stream's offsets after it; save what is due.

        False if another process has written the store, or it has lost what was saved (as a server
        may that was killed): `forget`, and begin again.
        """
        self._batches.append(_Batch(self._number, time.monotonic(), offsets))
        self._number += 1
        return self.save_due()

    def save_due(self) -> bool:
        """Save what has waited long enough; False as in `committed`."""
        return self.save(self._seconds)

    def save(self, seconds: float = -inf) -> bool:
        """Save what has waited for so long, by default all of it; False as in `committed`."""
        if self.is_shared:
            return self._save_shared()
        if self._store.version() != self._version:
            self.is_shared = True
            return False
        until, due = time.monotonic() - seconds, None
        while self._batches and self._batches[0].time <= until:
            due = self._batches.popleft()
        return due is None or self._save_up_to(due)

    def _save_up_to(self, batch: _Batch) -> bool:
        """Write what changed first in this batch or before: the oldest changes come first."""
        loaded, records = Loaded(self._plans, self._histories), dict[str, bytes | None]()
        for key, number in self._changed.items():
            if number > batch.number:
                break
            records[key] = loaded.record(key)
        for key in records:
            del self._changed[key]
        assert self._version is not None
        self.is_shared = not self._store.replace({**records, **_notes(batch.offsets)},
                                                 self._version)
        self._make_room()
        return not self.is_shared

    def _make_room(self) -> None:
        if len(self._histories) > MOST:
            unchanged = [key for key in self._histories if key not in self._changed]
            for key in unchanged[:len(self._histories) - MOST * 9 // 10]:
                del self._histories[key]

    def _save_shared(self) -> bool:
        """Write the batch onto what is in the store now, which others may have changed."""
        if not self._batches:
            return True
        keys, notes = list(self._changed), _notes(self._batches[-1].offsets)
        is_complete = True

        def change(found: list[bytes | None]) -> list[bytes | None]:
            nonlocal is_complete
            offsets = dict(zip(notes, found[len(keys):], strict=True))
            is_complete = all(self._noted.get(name, value) == value
                              for name, value in offsets.items())
            if not is_complete:
                return found
            loaded = Loaded(self._plans, self._histories)
            if found[:len(keys)] != [self._read[key] for key in keys]:
                loaded = Loaded.of(self._plans, keys, found[:len(keys)])
                for again in self._taken:
                    again(loaded)
            return [*map(loaded.record, keys), *notes.values()]

        self._store.update([*keys, *notes], change)
        self._noted |= notes
        for kept in (self._histories, self._read, self._changed, self._taken, self._batches):
            kept.clear()
        return is_complete


def _notes(offsets: Mapping[str, int]) -> dict[str, bytes | None]:
    return {name: b"%d" % offset for name, offset in offsets.items()}
