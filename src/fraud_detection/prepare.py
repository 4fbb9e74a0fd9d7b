"""Step 2: bronze into silver: typed, valid, one row a transaction; the rest with its reason."""

from __future__ import annotations

from collections import Counter
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from branchline.errors import RowsLost
from branchline.lakehouse import Lakehouse, Table
from fraud_detection.settings import Columns, Settings
from fraud_detection.tables import BRONZE_TRANSACTIONS, DUPLICATES, QUARANTINE, TRANSACTIONS

__all__ = ["duplicated", "run", "typed"]

LABELS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
EPOCH_DIVISOR = {"seconds": 1, "milliseconds": 1000}
PLACES = (TRANSACTIONS, QUARANTINE, DUPLICATES)
TYPED = ("transaction_id", "event_time", "customer_id", "terminal_id", "amount", "is_fraud")


def typed(rows: DataFrame, columns: Columns) -> DataFrame:
    """Bronze rows with `typed`, a struct of silver values, and `reason`, NULL for a valid row."""
    text = {name: F.nullif(F.trim(F.col(name)), F.lit("")) for name in TYPED}
    time = _time(text["event_time"], columns.epoch)
    amount = text["amount"].try_cast("double")
    label = _label(text["is_fraud"])
    reasons = [
        *[F.when(text[name].isNull(), f"{name} is missing") for name in TYPED[:-1]],
        _unusable("event_time", text, time.isNull(), "is not a time"),
        F.when(time > F.col("arrived_at"),
               _says("event_time", text, "lies after the arrival of its file")),
        _unusable("amount", text, amount.isNull() | ~_finite(amount), "is not a finite number"),
        F.when(_finite(amount) & (amount < 0), _says("amount", text, "is negative")),
        _unusable("is_fraud", text, label.isNull(), "is not 0, 1 or missing"),
    ]
    silver = F.struct(text["transaction_id"].alias("transaction_id"), time.alias("event_time"),
                      text["customer_id"].alias("customer_id"),
                      text["terminal_id"].alias("terminal_id"),
                      amount.alias("amount"), label.alias("is_fraud"))
    unreadable = F.col("problem").isNotNull()
    reason = F.when(unreadable, F.col("problem")).otherwise(
        F.nullif(F.concat_ws("; ", *reasons), F.lit("")))
    return rows.withColumn("typed", silver).withColumn("reason", reason)


def _says(name: str, text: dict[str, Column], fault: str) -> Column:
    return F.concat(F.lit(f"{name} "), F.substring(text[name], 1, 60), F.lit(f" {fault}"))


def _unusable(name: str, text: dict[str, Column], fails: Column, fault: str) -> Column:
    return F.when(text[name].isNotNull() & fails, _says(name, text, fault))


def _finite(number: Column) -> Column:
    return ~F.isnan(number) & (F.abs(number) < float("inf"))


def _label(text: Column) -> Column:
    label = F.lit(None).cast("int")
    for written, value in LABELS.items():
        label = F.when(F.lower(text) == written, value).otherwise(label)
    return label


def _time(text: Column, epoch: str | None) -> Column:
    """The time to the millisecond; without a zone it is UTC, whatever zone the session has."""
    if epoch is not None:
        milliseconds = (text.try_cast("decimal(25,6)")
                        * (1000 // EPOCH_DIVISOR[epoch])).try_cast("bigint")
        return F.timestamp_millis(F.when(F.abs(milliseconds) < 2**53, milliseconds))
    in_zone = (F.when(text.rlike(r"^\d{4}-\d\d-\d\d$"), F.concat(text, F.lit("T00:00:00Z")))
               .when(text.rlike(r":\d\d.*([+-]\d\d?(:?\d\d)?|[A-Za-z]+)$"), text)
               .otherwise(F.concat(text, F.lit("Z"))))
    time = in_zone.try_cast("timestamp")
    return F.timestamp_millis(F.unix_millis(time))


def duplicated(valid: DataFrame, silver: DataFrame) -> DataFrame:
    """The `valid` rows whose transaction_id landed before, among themselves or in silver."""
    ids = valid.select("typed.transaction_id")
    repeated = ids.groupBy("transaction_id").count().where("count > 1").drop("count")
    known = silver.select("transaction_id").join(ids, "transaction_id", "left_semi")
    landing_order = Window.partitionBy("transaction_id").orderBy(
        "ingested_at", "source_file", "source_row")
    suspects = valid.withColumn("transaction_id", F.col("typed.transaction_id"))
    among_themselves = (suspects.join(F.broadcast(repeated), "transaction_id", "left_semi")
                        .withColumn("nth", F.row_number().over(landing_order))
                        .where("nth > 1").drop("nth"))
    return (suspects.join(known, "transaction_id", "left_semi")
            .unionByName(among_themselves.join(known, "transaction_id", "left_anti")))


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
        new = typed(_unplaced(lakehouse, open_files, rows), settings.columns)
        _place(lakehouse, new)
        rows = _rows_by_file(lakehouse)
    return _balanced(*(rows[table].total() for table in (BRONZE_TRANSACTIONS, *PLACES)))


def _place(lakehouse: Lakehouse, new: DataFrame) -> None:
    """Silver comes last: until then the other two are told from what silver held before."""
    lakehouse.merge(QUARANTINE, new.where("reason IS NOT NULL"))
    valid = new.where("reason IS NULL")
    lakehouse.merge(DUPLICATES, duplicated(valid, lakehouse.read(TRANSACTIONS)))
    later = lakehouse.read(DUPLICATES).select("source_file", "source_row")
    first = valid.join(F.broadcast(later), ["source_file", "source_row"], "left_anti")
    lakehouse.merge(TRANSACTIONS, first.select("typed.*", "source_file", "source_row"))


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
