"""JSON lines: one object per line, with numbers as they are written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import IO, Any

import numpy as np
import pyarrow as pa

from branchline.lakehouse.sources import lines
from branchline.lakehouse.sources.layout import (Found, Layout, Unreadable, batch_of, ignored,
                                                 whole_file)

__all__ = ["columns_of", "read", "rows_of"]

NO_OBJECT = "row is not a JSON object"
NOT_LINES = "not JSON lines (one object per line)"
SAMPLE = 1000


class _Object(list[tuple[str, Any]]):
    """A JSON object as its pairs, so that a repeated key can be found."""


_DECODER = json.JSONDecoder(object_pairs_hook=_Object, parse_float=str, parse_int=str,
                            parse_constant=str)


def columns_of(file: str, head: bytes, layout: Layout) -> Found | None:
    """The columns of the first lines; None where none of them is an object.

    Raises:
        Unreadable: one JSON list, or none of the columns.
        BadInput: none of the first lines has a required column.
    """
    if head.lstrip()[:1] == b"[":
        raise Unreadable(f"{NOT_LINES} but a single list")
    objects = [found for line in _split(head)[:SAMPLE] if (found := _object(line)) is not None]
    names = dict.fromkeys(key for found in objects for key, _ in found)
    return layout.find(file, list(names), lines=True) if names else None


def read(file: IO[bytes], size: int | None, first: int, layout: Layout,
         ) -> Iterator[pa.RecordBatch]:
    """The rows in `size` bytes (None: to the end), numbered from `first`.

    If no line of the whole file is an object, one row stands for the file.
    """
    waiting: list[pa.RecordBatch] = []
    begin = first
    for block in lines.blocks(file, size):
        texts = _split(block)
        batch, objects = _batch(texts, pa.array(np.arange(first, first + len(texts))), layout)
        first += len(batch)
        waiting.append(batch)
        if objects or begin > 1:
            yield from waiting
            waiting, begin = [], 2
    if waiting and first > 1:
        yield whole_file(layout, NOT_LINES)


def _split(block: bytes) -> list[str]:
    text = block.decode("utf-8", "replace").replace("\r", "\n")
    return [line for line in text.split("\n") if line and not line.isspace()]


def rows_of(texts: list[str], numbers: pa.Array, layout: Layout) -> pa.RecordBatch:
    """The rows of texts that should each be an object; `numbers` are their row numbers."""
    return _batch(texts, numbers, layout)[0]


def _batch(texts: list[str], numbers: pa.Array, layout: Layout) -> tuple[pa.RecordBatch, int]:
    """The lines' rows, and how many are objects."""
    rows = [_object(text) for text in texts]
    named = [dict(row) if row is not None else {} for row in rows]
    every = set(chain.from_iterable(named))
    problems = [None if row is not None else NO_OBJECT for row in rows]
    values = {ours: _column([row.get(theirs, row.get(ours)) for row in named], ours, problems)
              for ours, theirs in layout.names if theirs}
    kept = layout.expected()
    _find_twice(rows, named, kept, problems)
    return batch_of(layout, numbers, values, pa.array(problems, pa.string()),
                    ignored(every - kept)), sum(row is not None for row in rows)


def _object(text: str) -> _Object | None:
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, _Object) else None


def _column(values: list[Any], name: str, problems: list[str | None]) -> pa.Array:
    """The values as text; a list or an object as value is a problem of its row."""
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowException, UnicodeEncodeError, TypeError):
        return pa.array([_text(value, name, at, problems) for at, value in enumerate(values)],
                        pa.string())


def _text(value: Any, name: str, at: int, problems: list[str | None]) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        problems[at] = f"{name} is not a plain value"
        return None
    return value if value is None else str(value).encode("utf-16", "surrogatepass").decode(
        "utf-16", "replace")


def _find_twice(rows: list[_Object | None], named: list[dict[str, Any]], kept: set[str],
                problems: list[str | None]) -> None:
    for at, (row, once) in enumerate(zip(rows, named, strict=True)):
        if row is not None and len(row) > len(once):
            keys = [key for key, _ in row]
            double = sorted(key for key in once if key in kept and keys.count(key) > 1)
            if double:
                problems[at] = f"key {double[0]} occurs {keys.count(double[0])} times"
