"""Appends that happen once, however often they are repeated; and the last appends of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["Append", "append_once", "appends", "count_rows", "log", "own_append"]

LOOKED_BACK = 50


@dataclass(frozen=True)
class Append:
    """An append in a table: the writer's number for it, its rows, and the writer's note."""

    number: int
    rows: int
    note: Mapping[str, str]


def append_once(lakehouse: Lakehouse, table: Table, rows: DataFrame, writer: str, number: int,
                **note: str) -> str:
    """Append `rows` unless this writer's `number`, or a later one, is already in the table.

    The numbers of a writer grow. Delta keeps the newest of each writer (txnAppId, txnVersion) in
    the commit itself. When a Spark Connect client is killed, the server may still finish its
    append, even after the next run has looked for it.

    Returns:
        The `token` in this append's note. If the table's note has another token, this call appended
        nothing.
    """
    token = uuid4().hex
    said = json.dumps({"writer": writer, "number": number, "token": token, **note})
    (rows.select(table.column_names).writeTo(lakehouse.reference(table))
     .option("txnAppId", writer).option("txnVersion", str(number))
     .option("userMetadata", said).append())
    return token


def appends(lakehouse: Lakehouse, table: Table, writer: str = "") -> list[Append]:
    """The last appends of one writer, or of each, newest first, from the table's log."""
    return log(lakehouse, table, writer)[1]


def own_append(lakehouse: Lakehouse, table: Table, writer: str, token: str) -> Append | None:
    """The append that `append_once` made with this token; None if a killed run's came first."""
    found = appends(lakehouse, table, writer)
    return next((append for append in found if append.note.get("token") == token), None)


def log(lakehouse: Lakehouse, table: Table, writer: str) -> tuple[int, list[Append]]:
    """The table's newest version, and the last appends of a writer up to it, newest first."""
    commits = lakehouse.history(table, LOOKED_BACK)
    found = []
    for commit in commits:
        note = _note(commit.note)
        if "number" in note and writer in ("", note.get("writer")):
            rows = int(commit.metrics.get("numOutputRows", 0))
            found.append(Append(int(note["number"]), rows, note))
    return commits[0].version, found


def _note(text: str | None) -> dict[str, str]:
    try:
        note = json.loads(text or "{}")
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}


def count_rows(lakehouse: Lakehouse, *tables: Table) -> list[int]:
    """How many rows each table has, from Delta's log, without reading the rows."""
    def count(table: Table) -> int:
        # Only count(*): then Delta answers from its log.
        counted = lakehouse.spark.sql(f"SELECT count(*) FROM {lakehouse.reference(table)}")
        return int(counted.collect()[0][0])

    with ThreadPoolExecutor(len(tables) or 1) as threads:
        return list(threads.map(count, tables))
