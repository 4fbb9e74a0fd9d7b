"""Fills a store from past events, as if they had been appended one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from branchline.features.arrow import EventColumns
from branchline.features.kernel import Definition, time_order
from branchline.features.online.features import FILLED, MARK, META
from branchline.features.online.loaded import Event, Loaded, Plans
from branchline.features.online.store import Store

__all__ = ["backfill"]

AT_ONCE = 500  # histories in one update


def backfill(store: Store, listed: Sequence[Definition], events: pa.Table, columns: EventColumns,
             lateness_days: int = 7, now: int = 0) -> int:
    """Empty the store and fill it with the events; returns the number of histories.

    A store whose filling was interrupted refuses to be used until it is filled again. Append the
    events that arrive meanwhile afterwards: replay the stream from before `events` were read.

    Args:
        events: of all entities, from as long ago as the windows reach, in any order; an entity is
            a column of text, the rest are `columns`.
        now: when, in microseconds since 1970: scores are logged with it; 0 is not kept.
    """
    store.update([MARK], lambda _: [b"1"])
    _empty(store)
    plans, count = Plans(listed, lateness_days), 0
    for entity in plans.by_entity:
        waiting: list[tuple[str, bytes | None]] = []
        for key, record in _histories(plans, entity, events, columns):
            waiting.append((key, record))
            count += 1
            if len(waiting) == AT_ONCE:
                _write(store, waiting)
                waiting = []
        _write(store, waiting)
    store.update([MARK, FILLED], lambda _: [None, str(now).encode() if now else None])
    return count


def _empty(store: Store) -> None:
    keys = [key for key in store.keys() if key not in META]
    for first in range(0, len(keys), AT_ONCE):
        some = keys[first:first + AT_ONCE]
        _write(store, [(key, None) for key in some])


def _write(store: Store, records: Sequence[tuple[str, bytes | None]]) -> None:
    store.update([key for key, _ in records], lambda _: [record for _, record in records])


def _histories(plans: Plans, entity: str, events: pa.Table, columns: EventColumns,
               ) -> Iterator[tuple[str, bytes | None]]:
    for name, found in _by_entity(entity, events, columns):
        key = f"{entity}/{name}"
        loaded = Loaded.of(plans, [key], [None])
        loaded.add(found)
        yield key, loaded.records()[0]


def _by_entity(entity: str, events: pa.Table, columns: EventColumns,
               ) -> Iterator[tuple[str, list[Event]]]:
    """Each entity with its events in order, one entity at a time."""
    coded = events[entity].combine_chunks().dictionary_encode()
    numbers = np.asarray(coded.indices.to_numpy(), np.int64)
    times = events[columns.time].cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
    order = time_order(numbers, times, events[columns.key].combine_chunks())
    ordered = numbers[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1, append=-1))
    for first, end in zip(starts[:-1], starts[1:], strict=True):
        name = coded.dictionary[int(ordered[first])].as_py()
        yield name, list(_events(entity, name, events.take(pa.array(order[first:end])),
                                 times[order[first:end]].tolist(), columns))


def _events(entity: str, name: str, rows: pa.Table, times: Iterable[int], columns: EventColumns,
            ) -> Iterator[Event]:
    values = [rows[column].to_pylist() for column in columns.values]
    for key, time, *row in zip(rows[columns.key].to_pylist(), times, *values, strict=True):
        known = {column: float(value) for column, value in zip(columns.values, row, strict=True)
                 if value is not None}
        yield Event(str(key), time, {entity: name}, known)
