"""Ships complete files of the inference log to gold.inference_log, each line once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
from pyspark.sql import functions as F

from branchline.errors import BadInput
from branchline.inference_log.checked import checked
from branchline.inference_log.tables import (BRONZE_INFERENCE_LOG, FIELDS, INFERENCE_LOG,
                                             LOG_FILES, LOG_QUARANTINE)
from branchline.inference_log.writer import complete_left_files
from branchline.lakehouse import Lakehouse, Table
from branchline.lakehouse.appends import append_once, appends
from branchline.lakehouse.sources.files import FileSource
from branchline.lakehouse.sources.layout import Layout
from branchline.lakehouse.sources.source import Taken

__all__ = ["ship"]

WRITER = "inference-log"
NAMES = ("format", *(field.name for field in FIELDS))
# A file with none of the required columns is one row of quarantine; only `format` is required.
LAYOUT = Layout(tuple((name, name) for name in NAMES), late=NAMES[1:])
TYPES = {"STRING": pa.string(), "TIMESTAMP": pa.timestamp("us", "UTC"), "BIGINT": pa.int64(),
         "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_()}
Row: TypeAlias = dict[str, Any]
Read = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def ship(lakehouse: Lakehouse, folder: str) -> Taken:
    """Take the folder's complete files into bronze, and their lines into gold or quarantine.

    It may be killed anywhere and repeated: a file is taken once, and each batch of files is
    appended once to each table. Files of processes that were killed are completed before.

    Raises:
        BadInput: there is no such folder.
    """
    complete_left_files(Path(folder))
    taken = FileSource(folder, LAYOUT, notes=LOG_FILES).append(lakehouse, BRONZE_INFERENCE_LOG)
    for table in (LOG_QUARANTINE, INFERENCE_LOG):
        lakehouse.create(table)
    for batch in _waiting(lakehouse):
        for table, read in ((LOG_QUARANTINE, _refused), (INFERENCE_LOG, _accepted)):
            _append(lakehouse, batch, table, read)
    return taken


def _waiting(lakehouse: Lakehouse) -> list[int]:
    """The batches that gold does not have yet, in their order."""
    if not lakehouse.exists(LOG_FILES):
        return []
    placed = max((each.number for each in appends(lakehouse, INFERENCE_LOG, WRITER)), default=0)
    batches = lakehouse.read(LOG_FILES).select("batch").where(F.col("batch") > placed).distinct()
    return sorted(row["batch"] for row in batches.collect())


def _append(lakehouse: Lakehouse, batch: int, table: Table, read: Read) -> None:
    files = lakehouse.read(LOG_FILES).where(F.col("batch") == batch).select("source_file")
    rows = lakehouse.read(BRONZE_INFERENCE_LOG).join(files, "source_file", "left_semi")
    append_once(lakehouse, table, rows.mapInArrow(read, table.ddl), WRITER, batch)


def _accepted(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    schema = pa.schema([(column.name, TYPES[column.type]) for column in INFERENCE_LOG.columns])
    for batch in batches:
        found = [values | {"source_file": row["source_file"], "source_row": row["source_row"]}
                 for row, values, _ in _judged(batch) if values is not None]
        yield pa.RecordBatch.from_pylist(found, schema)


def _refused(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    schema = pa.schema([(column.name, TYPES[column.type]) for column in LOG_QUARANTINE.columns])
    for batch in batches:
        found = [{**row, "reason": reason} for row, values, reason in _judged(batch)
                 if values is None]
        yield pa.RecordBatch.from_pylist([{name: row[name] for name in schema.names}
                                          for row in found], schema)


def _judged(batch: pa.RecordBatch) -> Iterator[tuple[Row, Row | None, str]]:
    """Each line, its typed values or None, and what is wrong with it."""
    for row in batch.to_pylist():
        if row["problem"]:
            yield row, None, row["problem"]
            continue
        try:
            yield row, checked(row), ""
        except BadInput as problem:
            yield row, None, str(problem)
