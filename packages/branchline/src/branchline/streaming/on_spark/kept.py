"""Appends a topic's scores to a table, each exactly once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from branchline.lakehouse import Column, Lakehouse, Table
from branchline.lakehouse.appends import append_once, appends
from branchline.streaming.on_spark.scored import ID

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["Kept", "table_rows"]

REMEMBERED = 500_000  # keys
# By Spark's name: the type in JSON, and that of the column.
TYPES: dict[str, tuple[type, pa.DataType]] = {
    "STRING": (str, pa.string()), "DOUBLE": (float, pa.float64()), "BOOLEAN": (bool, pa.bool_()),
    "INT": (int, pa.int32()), "BIGINT": (int, pa.int64()),
    "TIMESTAMP": (int, pa.timestamp("us", "UTC"))}


class Kept:
    """Takes batches of scores: JSON objects with the table's columns, times in milliseconds.

    A score that was sent twice has the same id: for each partition of the topic, ids of one origin
    only grow, until a batch is repeated. How far they came is in the note of the append itself, so
    neither a killed process nor a lost checkpoint loses or doubles a row. A transaction that
    itself came twice, under two ids, is found among the last 500,000.

    Args:
        topic: the topic's name; appends are noted under it.
    """

    def __init__(self, lakehouse: Lakehouse, table: Table, topic: str) -> None:
        self._lakehouse, self._table = lakehouse, table
        self._writer = f"kafka://{topic}"
        self._seen: dict[str, int] = {}
        self._recent: dict[tuple[Any, ...], None] = {}
        self.rows = 0
        self.is_busy = False
        self.failure: BaseException | None = None

    def open(self) -> None:
        """Create the table, and find how far it is."""
        self._lakehouse.create(self._table)
        found = appends(self._lakehouse, self._table, self._writer)
        self._seen = json.loads(found[0].note["seen"]) if found else {}

    def take(self, batch: DataFrame, number: int) -> None:
        """Append the new rows of a batch, in one commit."""
        self.is_busy = True
        try:
            header = f"filter(headers, header -> header.key = '{ID}')[0].value AS id"
            self._append(batch.selectExpr("partition", "offset", "value", header).toArrow())
        except BaseException as problem:
            self.failure = problem
            raise
        finally:
            self.is_busy = False

    def _append(self, messages: pa.Table) -> None:
        seen, recent = dict(self._seen), dict(self._recent)
        rows = table_rows(self._table, self._new(messages, seen, recent))
        if not rows.num_rows:
            return
        frame = self._lakehouse.spark.createDataFrame(rows)
        append_once(self._lakehouse, self._table, frame, self._writer,
                    sum(seen.values()) + len(seen), seen=json.dumps(seen))
        self._seen = seen
        self._recent = dict(list(recent.items())[-REMEMBERED:])
        self.rows += rows.num_rows

    def _new(self, messages: pa.Table, seen: dict[str, int],
             recent: dict[tuple[Any, ...], None]) -> Iterator[dict[str, Any]]:
        """The rows of messages that were not seen before; notes them in `seen` and `recent`."""
        columns = (messages[name].to_pylist() for name in ("partition", "offset", "value", "id"))
        for partition, offset, value, place in zip(*columns, strict=True):
            origin, _, at = (place or f"/{offset}".encode()).decode().rpartition("/")
            origin = f"{partition} {origin}"
            if int(at) <= seen.get(origin, -1):
                continue
            seen[origin] = int(at)
            row = _object(value)
            key = tuple(row.get(name) for name in self._table.key)
            if key not in recent:
                recent[key] = None
                yield row


def table_rows(table: Table, objects: Iterator[dict[str, Any]]) -> pa.Table:
    """The objects as rows of the table; one that lacks a required value or has another type than
    the column's is left out."""
    kept = [row for row in objects if all(_fits(column, row.get(column.name))
                                          for column in table.columns)]
    arrays = []
    for column in table.columns:
        values = [row.get(column.name) for row in kept]
        if column.type == "TIMESTAMP":
            values = [None if time is None else time * 1000 for time in values]
        arrays.append(pa.array(values, TYPES[column.type][1]))
    return pa.table(dict(zip(table.column_names, arrays, strict=True)))


def _fits(column: Column, value: object) -> bool:
    return not column.required if value is None else type(value) is TYPES[column.type][0]


def _object(value: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(value or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
