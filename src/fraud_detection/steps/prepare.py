"""Step 2: bronze into silver: typed, valid, one row a transaction; the rest with its reason."""

from __future__ import annotations

from collections import Counter
from functools import reduce

from pyspark.sql import DataFrame, Window, functions as F

from branchline import Lakehouse, RowsLost, Step, Table
from fraud_detection.data.parsing import Parsed, parsed
from fraud_detection.data.tables import BRONZE_TRANSACTIONS, DUPLICATES, QUARANTINE, TRANSACTIONS
from fraud_detection.settings import Settings

__all__ = ["duplicated", "run", "step"]

PLACES = (TRANSACTIONS, QUARANTINE, DUPLICATES)


def duplicated(valid: DataFrame, silver: DataFrame) -> DataFrame:
    """The `valid` rows whose transaction_id landed before, among themselves or in silver."""
    ids = valid.select("transaction_id", F.lit(False).alias("known")).unionByName(
        silver.select("transaction_id", F.lit(True).alias("known")))
    repeated = (ids.groupBy("transaction_id")
                .agg(F.max("known").alias("known"), F.count("*").alias("times"))
                .where("times > 1").drop("times"))
    landing_order = Window.partitionBy("transaction_id").orderBy(
        "ingested_at", "source_file", "source_row")
    return (valid.join(F.broadcast(repeated), "transaction_id")
            .withColumn("nth", F.row_number().over(landing_order))
            .where("known OR nth > 1").drop("known", "nth"))


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Place the bronze rows that are in no silver table yet; counts: the rows of each table.

    Raises:
        RowsLost: silver + quarantine + duplicates is not bronze.
    """
    rows = _rows_by_file(lakehouse)
    for table in PLACES:
        lakehouse.create(table)
    if open_files := [file for file in rows[BRONZE_TRANSACTIONS]
                      if rows[BRONZE_TRANSACTIONS][file] != sum(rows[table][file]
                                                                for table in PLACES)]:
        _place(lakehouse, _unplaced(lakehouse, open_files, rows), parsed(settings.columns))
        rows = _rows_by_file(lakehouse)
    return _balanced(*(rows[table].total() for table in (BRONZE_TRANSACTIONS, *PLACES)))


def _place(lakehouse: Lakehouse, new: DataFrame, said: Parsed) -> None:
    """Silver comes last: until then the other two are told from what silver held before."""
    lakehouse.merge(QUARANTINE, new.where(~said.valid).withColumn("reason", said.reason))
    valid = new.where(said.valid).withColumn("transaction_id", said.values["transaction_id"])
    lakehouse.merge(DUPLICATES, duplicated(valid, lakehouse.read(TRANSACTIONS)))
    later = lakehouse.read(DUPLICATES).select("source_file", "source_row")
    first = valid.join(F.broadcast(later), ["source_file", "source_row"], "left_anti")
    lakehouse.merge(TRANSACTIONS, first.withColumns(said.values))


def _rows_by_file(lakehouse: Lakehouse) -> dict[Table, Counter[str]]:
    """How many rows of each file every table has; none where there is no table yet."""
    tables = (BRONZE_TRANSACTIONS, *PLACES)
    parts = [lakehouse.read(table).select("source_file", F.lit(at).alias("table"))
             for at, table in enumerate(tables)
             if table == BRONZE_TRANSACTIONS or lakehouse.exists(table)]
    found: dict[Table, Counter[str]] = {table: Counter() for table in tables}
    for row in reduce(DataFrame.union, parts).groupBy("source_file", "table").count().collect():
        found[tables[row["table"]]][row["source_file"]] = row["count"]
    return found


def _unplaced(lakehouse: Lakehouse, files: list[str],
              rows: dict[Table, Counter[str]]) -> DataFrame:
    """The bronze rows of these files, less those that a run which was cut off has placed."""
    chosen = F.broadcast(lakehouse.spark.createDataFrame([(file,) for file in files],
                                                         "source_file STRING"))
    found = lakehouse.read(BRONZE_TRANSACTIONS).join(chosen, "source_file", "left_semi")
    for table in PLACES:
        if any(rows[table][file] for file in files):
            placed = lakehouse.read(table).select("source_file", "source_row")
            found = found.join(placed, ["source_file", "source_row"], "left_anti")
    return found


def _balanced(bronze: int, silver: int, quarantine: int, duplicates: int) -> dict[str, int]:
    if silver + quarantine + duplicates != bronze:
        raise RowsLost(f"prepare: bronze has {bronze} rows, but silver + quarantine + duplicates "
                       f"are {silver} + {quarantine} + {duplicates}; do not use these tables, and "
                       "report it.")
    return {"rows": bronze, "silver": silver, "quarantine": quarantine, "duplicates": duplicates}


step = Step("prepare", run, reads=(BRONZE_TRANSACTIONS,), writes=PLACES)
