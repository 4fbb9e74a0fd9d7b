"""Places each bronze row of a batch, exactly once: in silver, quarantine or duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Observation, Window, functions as F

from branchline import Lakehouse, Table
from branchline.lakehouse.appends import Append, append_once, appends, log, own_append
from branchline.lakehouse.repeats import id_hash, repeated_hashes
from fraud_detection.data.parsing import parse
from fraud_detection.tables import DUPLICATES, QUARANTINE, TRANSACTION_COLUMNS, TRANSACTIONS

__all__ = ["PLACES", "Placing"]

PLACES = (TRANSACTIONS, QUARANTINE, DUPLICATES)
FEW = 100_000
LANDED = ("source_file", "source_row", *TRANSACTION_COLUMNS, "arrived_at", "ingested_at")
Read = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Placing:
    """Places batches of the bronze table, identified by `stream` and number.

    A batch that was interrupted anywhere is completed when it comes again: the tables' logs say
    what was appended. Duplicates are found by what silver held before, so they come first. A killed
    run may have left an append to the server that happens only now, at any moment of this run, so
    silver is read as of a version that cannot contain the batch. `through` is the bronze version
    that the stream reaches, noted in case the checkpoint is lost.
    """

    lakehouse: Lakehouse
    stream: str
    through: int
    epoch: str | None

    def place(self, batch: DataFrame, number: int) -> None:
        """Append the batch's rows to the three tables."""
        rows = batch.select(*LANDED, "problem")
        rejected: int | None = None
        before, found = log(self.lakehouse, TRANSACTIONS, self.stream)
        if not any(append.number == number for append in found):
            rejected = self._append_valid(rows, number, before)
        if rejected != 0 and self._appended(QUARANTINE, number) is None:
            self._append(QUARANTINE, rows.mapInArrow(
                _rejected(self.epoch), QUARANTINE.ddl), number)

    def _append_valid(self, rows: DataFrame, number: int, before: int) -> int | None:
        """Append duplicates and silver; returns how many rows are left for quarantine, if known."""
        silver = self.lakehouse.read(TRANSACTIONS, before)
        repeated, count = self._append_repeated(rows, number, silver)
        seen = Observation()
        valid = (rows.observe(seen, F.count(F.lit(1)).alias("rows"))
                 .mapInArrow(_accepted(self.epoch), TRANSACTIONS.ddl))
        if repeated is not None:
            valid = valid.join(repeated, ["source_file", "source_row"], "left_anti")
        token = self._append(TRANSACTIONS, valid, number)
        appended = own_append(self.lakehouse, TRANSACTIONS, self.stream, token)
        if appended is None:  # a killed run appended it: no row was seen here
            return None
        return int(seen.get["rows"]) - count - appended.rows

    def _append_repeated(self, rows: DataFrame, number: int,
                         silver: DataFrame) -> tuple[DataFrame | None, int]:
        """Append the valid rows whose id landed before; returns their positions and number."""
        hashes = self._candidates(rows, silver)
        if hashes is None:
            return None, 0
        repeated = self._repeated(rows, hashes, silver)
        if self._appended(DUPLICATES, number) is None:
            self._append(DUPLICATES, repeated, number)
        appended = self._appended(DUPLICATES, number)
        assert appended is not None
        return repeated.select("source_file", "source_row"), appended.rows

    def _candidates(self, rows: DataFrame, silver: DataFrame) -> DataFrame | None:
        """Hashes of the ids that occur more than once, in the batch or in silver.

        Others are among them only by chance. None if there are none.
        """
        repeated = repeated_hashes(*(_hashed(each).select("hash") for each in (rows, silver)))
        few = repeated.limit(FEW + 1).toArrow()
        if not few.num_rows:
            return None
        if few.num_rows > FEW:
            return repeated
        return F.broadcast(self.lakehouse.spark.createDataFrame(few))

    def _repeated(self, rows: DataFrame, hashes: DataFrame, silver: DataFrame) -> DataFrame:
        """The valid rows that are not the first of their id, by time of ingest, file and row."""
        valid = _hashed(rows).join(hashes, "hash").select(*rows.columns).mapInArrow(
            _valid(self.epoch), DUPLICATES.ddl)
        known = (_hashed(silver).join(hashes, "hash")
                 .select("transaction_id", F.lit(True).alias("known")))
        landing_order = Window.partitionBy("id").orderBy(
            "ingested_at", "source_file", "source_row")
        return (valid.withColumn("id", _id("transaction_id"))
                .join(known.withColumnRenamed("transaction_id", "id"), "id", "left")
                .withColumn("nth", F.row_number().over(landing_order))
                .where("known OR nth > 1").select(DUPLICATES.column_names))

    def _appended(self, table: Table, number: int) -> Append | None:
        found = appends(self.lakehouse, table, self.stream)
        return next((append for append in found if append.number == number), None)

    def _append(self, table: Table, rows: DataFrame, number: int) -> str:
        return append_once(self.lakehouse, table, rows, self.stream, number,
                           through=str(self.through))


def _id(column: str) -> Column:
    """Trimmed as in parsing."""
    return F.btrim(F.col(column), F.lit(" \t"))


def _hashed(rows: DataFrame) -> DataFrame:
    return rows.where("transaction_id IS NOT NULL").withColumn(
        "hash", id_hash(_id("transaction_id")))


def _accepted(epoch: str | None) -> Read:
    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in batches:
            found = parse(rows, epoch)
            columns = [found.values[name] if name in found.values else rows.column(name)
                       for name in TRANSACTIONS.column_names]
            made = pa.RecordBatch.from_arrays(columns, names=TRANSACTIONS.column_names)
            yield made if pc.all(found.valid).as_py() else made.filter(found.valid)
    return read


def _valid(epoch: str | None) -> Read:
    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in batches:
            yield rows.filter(parse(rows, epoch).valid).select(DUPLICATES.column_names)
    return read


def _rejected(epoch: str | None) -> Read:
    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in batches:
            found = parse(rows, epoch)
            if not pc.all(found.valid).as_py():
                said = rows.append_column("reason", found.reasons())
                yield said.filter(pc.invert(found.valid)).select(QUARANTINE.column_names)
    return read
