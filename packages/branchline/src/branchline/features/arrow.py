"""The kernel on Arrow: one partition's events in, the same rows with features out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from branchline.features.kernel import Definition, Floats, Ints, compute, time_order

__all__ = ["EventColumns", "FromTime", "with_features"]

FromTime: TypeAlias = Callable[[Ints], Mapping[str, Floats]]
ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class EventColumns:
    """The columns of events: key, time and values.

    `key` orders events of one time, `time` is a timestamp, `values` are the columns that
    definitions name; windows skip events with null.
    """

    key: str
    time: str
    values: Sequence[str]


def with_features(batches: Iterable[pa.RecordBatch], columns: EventColumns,
                  listed: Sequence[Definition], added: Sequence[str], start: int,
                  from_time: FromTime | None = None) -> list[pa.RecordBatch]:
    """The events from `start` on, by entity and time, with the columns `added` after their own.

    All definitions are of one entity, whose column the batches have, and all events of an entity
    are among them. This works for a Spark partition, a stream's micro-batch or a request's few
    events.

    Args:
        listed: the definitions, in the order in which they are computed.
        added: the names of those that become columns (float64, never null).
        start: in milliseconds since 1970 UTC; earlier events are history only.
        from_time: further features, computed from the time (milliseconds) alone.
    """
    landed = list(batches)
    if not landed:
        return []
    table = pa.Table.from_batches(landed)
    entity = _numbered(table[listed[0].entity])
    times = table[columns.time].cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
    order = time_order(entity, times, table[columns.key].combine_chunks())
    ordered = times[order]
    values = {name: table[name].cast(pa.float64()).to_numpy()[order] for name in columns.values}
    computed = dict(compute(listed, entity[order], ordered, values))
    if from_time is not None:
        computed |= from_time(ordered)
    wanted = ordered >= start
    rows = table.take(pa.array(order[wanted]))
    for name in added:
        rows = rows.append_column(name, pa.array(computed[name][wanted]))
    found: list[pa.RecordBatch] = rows.to_batches(max_chunksize=ROWS_AT_ONCE)
    return found


def _numbered(column: pa.ChunkedArray) -> Ints:
    """Numbers the entities from 0, in order of appearance."""
    indices = column.combine_chunks().dictionary_encode().indices
    return np.asarray(indices.to_numpy(), np.int64)
