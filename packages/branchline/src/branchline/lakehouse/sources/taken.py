"""bronze.files: which files were taken in which batch, so that each is taken once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import functions as F

from branchline.errors import RowsLost
from branchline.lakehouse.appends import appends
from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.table import Column, Table
from branchline.lakehouse.sources.listing import Landed

__all__ = ["FILES", "INGEST", "TakenFiles"]

INGEST = "ingest"
UNKNOWN = -1
CHECKED = 100
FILES = Table(
    "bronze.files", "Files that were taken, or are being taken as the newest batch",
    key=("source_file",),
    columns=(Column("source_file", "STRING", "The file", required=True),
             Column("size", "BIGINT", "Its bytes then; -1 where they are not known"),
             Column("modified", "BIGINT", "Its modification time then, ns since 1970"),
             Column("batch", "BIGINT", "The batch it was taken in, from 1; 0 by an older version")))


@dataclass(frozen=True)
class TakenFiles:
    """What a table holds: size and modification time by address, and the newest batch."""

    files: dict[str, tuple[int, int]]
    batch: int

    @classmethod
    def of(cls, lakehouse: Lakehouse, table: Table, notes: Table = FILES) -> TakenFiles:
        """The `notes` on `table`; first deletes those of a batch that was noted but not appended.

        Raises:
            RowsLost: the rows of noted files are not in the table.
        """
        if not lakehouse.exists(notes):
            return _from_rows(lakehouse, table, notes)
        noted = lakehouse.read(notes).toArrow()
        last = max(noted["batch"].to_pylist(), default=0)
        if not lakehouse.exists(table) and last:
            raise RowsLost(f"table {table.name} is gone, but {notes.name} notes {noted.num_rows} "
                           "files as taken into it. Run the step repair (`-e repair`), then run "
                           "again: the files are taken again.")
        rows = list(zip(*(noted[name].to_pylist() for name in FILES.column_names), strict=True))
        if last and not _appended(lakehouse, table, last, [row[0] for row in rows
                                                           if row[3] == last]):
            lakehouse.spark.sql(f"DELETE FROM {lakehouse.reference(notes)} WHERE batch = {last}")
            rows, last = [row for row in rows if row[3] != last], last - 1
        return cls({row[0]: (row[1], row[2]) for row in rows}, last)

    def new(self, listed: Sequence[Landed]) -> list[Landed]:
        return [file for file in listed if file.address not in self.files]

    def changed(self, listed: Sequence[Landed]) -> list[Landed]:
        """The files that changed since they were taken."""
        return [file for file in listed if file.address in self.files
                and self.files[file.address] not in ((file.size, file.modified),
                                                     (UNKNOWN, file.modified // 1000 * 1000))]


def note(lakehouse: Lakehouse, notes: Table, files: Sequence[Landed], batch: int) -> None:
    """Note these files as this batch, before they are appended."""
    lakehouse.create(notes)
    rows = pa.table({"source_file": [file.address for file in files],
                     "size": [file.size for file in files],
                     "modified": [file.modified for file in files],
                     "batch": pa.array([batch] * len(files), pa.int64())})
    frame = lakehouse.spark.createDataFrame(rows).coalesce(1)
    frame.writeTo(lakehouse.reference(notes)).append()


def forget_missing(lakehouse: Lakehouse, notes: Table, table: Table, batch: int) -> None:
    """Delete the notes of this batch's files that have no rows in the table."""
    there = lakehouse.read(table).select("source_file").distinct()
    noted = lakehouse.read(notes).where(F.col("batch") == batch).select("source_file")
    lakehouse.delete(notes, noted.join(there, "source_file", "left_anti"))


def _appended(lakehouse: Lakehouse, table: Table, batch: int, files: list[str]) -> bool:
    """Whether the batch is in the table, by its log or, if that is truncated, by its rows."""
    if any(append.number >= batch for append in appends(lakehouse, table, INGEST)):
        return True
    rows = lakehouse.read(table).where(F.col("source_file").isin(files[:CHECKED]))
    return rows.limit(1).count() > 0


def _from_rows(lakehouse: Lakehouse, table: Table, notes: Table) -> TakenFiles:
    """The files in a table without notes (an older version's, or notes lost); notes them now."""
    if not lakehouse.exists(table):
        return TakenFiles({}, 0)
    found = lakehouse.read(table).groupBy("source_file").agg(
        F.unix_micros(F.max("arrived_at")).alias("modified")).collect()
    files = [Landed(row["source_file"], "", UNKNOWN, (row["modified"] or 0) * 1000)
             for row in found]
    last = max((append.number for append in appends(lakehouse, table, INGEST)), default=0)
    if files:
        note(lakehouse, notes, files, last)
    return TakenFiles({file.address: (file.size, file.modified) for file in files}, last)
