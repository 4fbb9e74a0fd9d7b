"""The kernel's features of one event from only those events and labels that were known then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from branchline.features.arrow import EventColumns
from branchline.features.kernel import (DAY, Definition, Floats, Ints, compute, look_back_days,
                                        time_order)
from branchline.parity.arrivals import Arrivals

__all__ = ["EntityViews", "REASONS"]

Mask: TypeAlias = NDArray[np.bool_]
NOT_SEEN, LABEL_LATE = "event not seen yet", "label later than its delay"
BOTH, REBUILT = f"{NOT_SEEN}, and {LABEL_LATE}", "store rebuilt"
REASONS = (NOT_SEEN, LABEL_LATE, BOTH, REBUILT)


class EntityViews:
    """The events of one kind of entity, such as all cards, in the kernel's order.

    Args:
        listed: the entity's definitions.
        events: all events, with the entity's column and `columns`.
        label: the column that becomes known later.
        lateness_days: how much older than its entity's newest event the store takes an event.
    """

    def __init__(self, listed: Sequence[Definition], events: pa.Table, times: Ints,
                 columns: EventColumns, label: str, arrivals: Arrivals,
                 lateness_days: int) -> None:
        self.listed, self._times, self._label, self._arrivals = listed, times, label, arrivals
        self._reach = look_back_days(listed) * DAY
        indices = events[listed[0].entity].combine_chunks().dictionary_encode().indices
        self._entity = np.asarray(indices.to_numpy(), np.int64)
        self._order = time_order(self._entity, times, events[columns.key].combine_chunks())
        self._position = np.empty_like(self._order)
        self._position[self._order] = np.arange(len(self._order))
        ordered = self._entity[self._order]
        self._starts = np.searchsorted(ordered, np.arange(ordered.max(initial=0) + 1))
        self._values = {name: events[name].cast(pa.float64()).to_numpy()
                        for name in columns.values}
        self._refused = self._came_too_late(lateness_days * DAY)

    def _came_too_late(self, lateness: int) -> Mask:
        """Which events the store did not take, since they were older than it allows."""
        by_arrival = np.lexsort((self._position, self._arrivals.events, self._entity))
        times, entity = self._times[by_arrival], self._entity[by_arrival]
        apart = times - times.min(initial=0) + entity * (np.ptp(times) + 1 if len(times) else 1)
        newest = np.maximum.accumulate(apart)
        late = np.zeros(len(times), np.bool_)
        late[by_arrival] = apart < newest - lateness
        return late

    def is_refused(self, event: int) -> bool:
        return bool(self._refused[event])

    def explain(self, event: int, batch: int, filled: int,
                logged: Floats, names: Sequence[str]) -> tuple[str, Floats] | None:
        """Why an event's features differ, proven by equal features from what was known then.

        Args:
            event: the event's row; `batch` is the one in which it was scored.
            filled: when the store was last filled before, as batches are numbered; 0: never.

        Returns:
            The reason and the features of these names; None where none gives the logged ones.
        """
        first = np.searchsorted(self._times[self._order[self._start(event):self._position[event]]],
                                self._times[event] - self._reach, "right")
        seen = self._order[self._start(event) + first:self._position[event] + 1]
        here, label_here = self._here(seen, batch, 0)
        every = np.ones(len(seen), np.bool_)
        views = [(NOT_SEEN, here, every), (LABEL_LATE, every, label_here), (BOTH, here, label_here)]
        if filled:
            views.append((REBUILT, *self._here(seen, batch, filled)))
        for reason, known, labels in views:
            found = self._features(seen, known, labels, names)
            if np.array_equal(found, logged, equal_nan=True):
                return reason, found
        return None

    def _start(self, event: int) -> int:
        """Where the event's entity begins in the order."""
        return int(self._starts[self._entity[event]])

    def _here(self, seen: Ints, batch: int, filled: int) -> tuple[Mask, Mask]:
        """Which events, and which of their labels, the store had in that batch."""
        came, labels = self._arrivals.events[seen], self._arrivals.labels[seen]
        before = came <= filled if filled else np.zeros(len(seen), np.bool_)
        return (came <= batch) & ~self._refused[seen] | before, (labels < batch) | before

    def _features(self, seen: Ints, known: Mask, labels: Mask, names: Sequence[str]) -> Floats:
        """The last event's features."""
        kept = known.copy()
        kept[-1] = True
        rows = seen[kept]
        values = {name: column[rows] for name, column in self._values.items()}
        if self._label in values:
            values[self._label] = np.where(labels[kept], values[self._label], np.nan)
        computed = compute(self.listed, np.zeros(len(rows), np.int64), self._times[rows], values)
        return np.array([computed[name][-1] for name in names])
