"""Parquet: one row group after another, every value as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from branchline.lakehouse.sources.layout import (Found, Layout, Unreadable, batch_of, shortened,
                                                 whole_file)

__all__ = ["columns_of", "opened", "read"]

ROWS_AT_ONCE = 65_536
BUFFER = 1 << 20
BYTES = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary,
         pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
DAMAGE = (pa.ArrowException, OSError, ValueError)


def columns_of(file: str, opened: pq.ParquetFile, layout: Layout) -> Found:
    """The file's columns.

    Raises:
        Unreadable: none of the columns, one of them twice, or one without plain values.
        BadInput: a required column is not there.
    """
    schema = opened.schema_arrow
    found = layout.find(file, schema.names)
    for ours, position in found.positions.items():
        kind = schema.field(position).type if position is not None else pa.string()
        if pa.types.is_nested(kind) or pa.types.is_duration(kind) or pa.types.is_interval(kind):
            raise Unreadable(f"column {found.raw[ours]} holds {shortened(str(kind))}, "
                             "expected plain values")
    return found


def opened(file: IO[bytes]) -> pq.ParquetFile:
    """The file, read through small buffers.

    Raises:
        Unreadable: not a Parquet file, or its footer is damaged.
    """
    try:
        return pq.ParquetFile(file, pre_buffer=False, buffer_size=BUFFER,
                              coerce_int96_timestamp_unit="us")
    except DAMAGE as problem:
        raise _damaged(problem) from None


def read(file: pq.ParquetFile, group: int, rows: range, first: int, found: Found,
         layout: Layout) -> Iterator[pa.RecordBatch]:
    """These rows of a row group, numbered from `first`; one row stands for damaged ones."""
    given = before = 0
    try:
        for batch in _batches(file, group, found):
            skipped = max(rows.start - before, 0)
            wanted = batch.slice(skipped, max(rows.stop - before - skipped, 0))
            before += len(batch)
            if before > rows.start:
                yield _as_text(wanted, first + given, found, layout)
                given += len(wanted)
            if before >= rows.stop:
                return
    except DAMAGE as problem:
        lost = f"rows {first + given} to {first + len(rows) - 1}: {_damaged(problem)}"
        yield whole_file(layout, lost, first + given)


def _as_text(batch: pa.RecordBatch, first: int, found: Found, layout: Layout) -> pa.RecordBatch:
    text = {name: None if raw is None else _text(batch.column(raw))
            for name, raw in found.raw.items()}
    return batch_of(layout, pa.array(np.arange(first, first + len(batch))), text, None,
                    found.ignored)


def _batches(file: pq.ParquetFile, group: int, found: Found) -> Iterator[pa.RecordBatch]:
    names = [name for name in dict.fromkeys(found.raw.values()) if name is not None]
    yield from file.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=names, use_threads=False)


def _text(values: pa.Array) -> pa.Array:
    """Each value as text: times as ISO 8601, numbers as short as exactness allows."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    if pa.types.is_timestamp(values.type) and values.type.tz:
        values = values.cast(pa.timestamp(values.type.unit, "UTC"))
    if any(matches(values.type) for matches in BYTES):
        return _decoded(values)
    return pc.cast(values, pa.string())


def _decoded(values: pa.Array) -> pa.Array:
    """Bytes or text columns as text; bytes that are not UTF-8 become U+FFFD."""
    try:
        text = pc.cast(values, pa.string())
        text.validate(full=True)
        return text
    except pa.ArrowException:
        return pa.array([None if value is None else bytes(value).decode("utf-8", "replace")
                         for value in values.cast(pa.large_binary()).to_pylist()], pa.string())


def _damaged(problem: Exception) -> Unreadable:
    return Unreadable(f"not a readable Parquet file ({shortened(str(problem))})")
