"""Files as a source: new ones are read by path, in pieces, and appended in one batch."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, functions as F

from branchline.errors import BadInput
from branchline.lakehouse.appends import append_once, own_append
from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.table import Table
from branchline.lakehouse.sources import taken
from branchline.lakehouse.sources.layout import Layout, shortened
from branchline.lakehouse.sources.listing import Landed, listed
from branchline.lakehouse.sources.pieces import FileChanged, Piece, pieces_of, read_piece
from branchline.lakehouse.sources.source import Taken

__all__ = ["FileSource"]

TASK_BYTES, TASK_FILES = 24 << 20, 250
THREADS = 8
SPARK_TYPES = {"source_row": "BIGINT"}
Complete = Callable[[pa.RecordBatch, Piece], pa.RecordBatch]


@dataclass(frozen=True)
class FileSource:
    """The files at `location`; `complete` may fill in columns of a piece's rows.

    `notes` is where taken files are noted: a table of its own for each table that is appended to.
    """

    location: str
    layout: Layout
    complete: Complete = lambda rows, _: rows
    notes: Table = taken.FILES

    def append(self, lakehouse: Lakehouse, table: Table) -> Taken:
        """Append the rows of the new files, all in one commit.

        The batch's files are first noted in `notes`. If the commit is missing, the next call
        deletes the note; if it is there, its number says so. A file that changes while it is read
        is left for the next call.

        Raises:
            BadInput: no such location, or a file lacks a required column: then no file is taken.
            RowsLost: `notes` has files whose rows are gone.
        """
        found = listed(self.location)
        before = taken.TakenFiles.of(lakehouse, table, self.notes)
        lakehouse.create(table)
        remarks = _changed(before.changed(found))
        files = before.new(found)
        pieces = self._pieces(files)
        while files:
            try:
                done = self._take(lakehouse, table, files, pieces, before.batch + 1, remarks)
                if done:
                    return done
                taken.forget_missing(lakehouse, self.notes, table, before.batch + 1)
            except FileChanged as change:
                lost = files[int(str(change))]
                remarks.append(f"{shortened(lost.address)} changed while it was read; left for the "
                               "next run")
                files = [file for file in files if file != lost]
            before = taken.TakenFiles.of(lakehouse, table, self.notes)
            files = before.new(files)
            left = set(files)
            pieces = [piece for piece in pieces if piece.file in left]
        return Taken(remarks=tuple(remarks))

    def _pieces(self, files: Sequence[Landed]) -> list[Piece]:
        """All pieces of the files, in their order."""
        with ThreadPoolExecutor(THREADS) as threads:
            found = list(threads.map(self._planned, files))
        refused = [plan for plan in found if isinstance(plan, BadInput)]
        if refused:
            raise refused[0]
        return [piece for plan in found if isinstance(plan, list) for piece in plan]

    def _planned(self, file: Landed) -> list[Piece] | BadInput:
        try:
            return pieces_of(file, self.layout)
        except FileChanged:  # reading it will find that out, and report it
            return [Piece(file)]
        except BadInput as problem:
            return problem

    def _take(self, lakehouse: Lakehouse, table: Table, files: list[Landed], pieces: list[Piece],
              batch: int, remarks: list[str]) -> Taken | None:
        """Append the files; None if a killed run's append of this batch came first."""
        taken.note(lakehouse, self.notes, files, batch)
        seen = Observation()
        rows = self._rows(lakehouse, files, pieces).observe(
            seen, F.count("problem").alias("problems"), F.max("ignored_columns").alias("ignored"))
        try:
            token = append_once(lakehouse, table, rows, taken.INGEST, batch)
        except PySparkException as failure:
            raise _change(failure) or failure from None
        written = own_append(lakehouse, table, taken.INGEST, token)
        if written is None:
            return None
        kept_out = {piece.found.ignored for piece in pieces if piece.found} | {seen.get["ignored"]}
        names = sorted({name for text in kept_out if text for name in text.split(", ")})
        if names:
            remarks.append(f"kept out: column {shortened(', '.join(names))}")
        return Taken(written.rows, len(files), int(seen.get["problems"]), tuple(remarks))

    def _rows(self, lakehouse: Lakehouse, files: list[Landed], pieces: list[Piece]) -> DataFrame:
        layout, complete = self.layout, self.complete
        at = {file: number for number, file in enumerate(files)}
        tasks = [[(at[piece.file], piece) for piece in task] for task in _tasks(pieces)]

        def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for task in batch.column(0).to_pylist():
                    for number, piece in tasks[task]:
                        try:
                            for rows in read_piece(piece, layout):
                                yield _with_source(piece.file, complete(rows, piece))
                        except FileChanged:
                            raise FileChanged(str(number)) from None

        types = ", ".join(f"{name} {SPARK_TYPES.get(name, 'STRING')}"
                          for name in layout.schema.names)
        return (lakehouse.spark.range(0, len(tasks), 1, max(len(tasks), 1))
                .mapInArrow(read, f"source_file STRING, arrived_at TIMESTAMP, {types}")
                .withColumn("ingested_at", F.current_timestamp()))


def _tasks(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Groups neighbouring pieces until they are enough for a task."""
    cores = os.cpu_count() or 2
    enough = min(TASK_BYTES, max(sum(piece.weight for piece in pieces) // cores, 1))
    tasks: list[list[Piece]] = []
    weight = enough
    for piece in pieces:
        if weight >= enough or len(tasks[-1]) >= TASK_FILES:
            tasks.append([])
            weight = 0
        tasks[-1].append(piece)
        weight += piece.weight
    return tasks


def _with_source(file: Landed, rows: pa.RecordBatch) -> pa.RecordBatch:
    arrived = pa.scalar(file.modified // 1000, pa.timestamp("us", "UTC"))
    source = [pa.repeat(pa.scalar(file.address), len(rows)), pa.repeat(arrived, len(rows))]
    return pa.RecordBatch.from_arrays([*source, *rows.columns],
                                      names=["source_file", "arrived_at", *rows.schema.names])


def _changed(files: Sequence[Landed]) -> list[str]:
    if not files:
        return []
    return [f"{shortened(files[0].address)}{f' and {len(files) - 1} more' if files[1:] else ''} "
            "changed after it was taken; its new rows are not taken: land them under a new name"]


def _change(failure: PySparkException) -> FileChanged | None:
    """The FileChanged that a worker raised; Spark passes it on as the last line of a traceback."""
    found = re.search(rf"{FileChanged.__module__}\.FileChanged: (\d+)", str(failure))
    return FileChanged(found[1]) if found else None
