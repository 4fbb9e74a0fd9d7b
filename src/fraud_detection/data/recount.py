"""Recounts bronze and the tables made from it by reading every row, and checks each row's table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Row, functions as F

from branchline import Lakehouse
from branchline.lakehouse.sources import shortened
from fraud_detection.data.bronze_to_silver import PLACES
from fraud_detection.tables import BRONZE_TRANSACTIONS, TRANSACTIONS

__all__ = ["Recount"]

TABLES = (BRONZE_TRANSACTIONS, *PLACES)
KEY = BRONZE_TRANSACTIONS.key
WRONG = {
    "of bronze are in no table": "in_bronze = 1 AND placed = 0",
    "of silver, quarantine or duplicates are not in bronze": "in_bronze = 0",
    "are in more than one table, or twice in one": "in_bronze > 1 OR placed > 1"}


@dataclass(frozen=True)
class Recount:
    """The number of `rows` of bronze, silver, quarantine and duplicates, and what is `wrong`.

    `wrong` has one line for each kind of error: how many keys, and an example.
    """

    rows: list[int]
    wrong: tuple[str, ...]

    @classmethod
    def of(cls, lakehouse: Lakehouse) -> Recount:
        names = [table.name.partition(".")[2] if table in PLACES else "bronze" for table in TABLES]
        counted = [F.sum(F.when(F.col("table") == at, 1).otherwise(0)).alias(f"in_{name}")
                   for at, name in enumerate(names)]
        places = "+".join(f"in_{name}" for name in names[1:])
        by_key = (_keys(lakehouse).groupBy(*KEY).agg(*counted)
                  .withColumn("placed", F.expr(places)))
        found = by_key.agg(
            *(F.coalesce(F.sum(f"in_{name}"), F.lit(0)).alias(name) for name in names),
            *(measure for at, condition in enumerate(WRONG.values())
              for measure in _measures(f"wrong_{at}", condition))).first()
        assert found is not None
        return cls([int(found[name]) for name in names],
                   (*_lines(found), *_repeated_ids(lakehouse)))

    def findings(self, by_log: Sequence[int]) -> list[str]:
        """What is wrong, including the counts in Delta's log."""
        return [*(f"{table.name} has {rows:,} rows, and {told:,} by its log"
                  for table, rows, told in zip(TABLES, self.rows, by_log, strict=True)
                  if rows != told), *self.wrong]


def _keys(lakehouse: Lakehouse) -> DataFrame:
    each = [lakehouse.read(table).select(*KEY, F.lit(at).alias("table"))
            for at, table in enumerate(TABLES)]
    return reduce(DataFrame.unionByName, each)


def _measures(name: str, condition: str) -> list[Column]:
    where = F.expr(condition)
    return [F.count(F.when(where, 1)).alias(name),
            F.min(F.when(where, F.struct(*KEY))).alias(f"{name}_such_as")]


def _lines(found: Row) -> list[str]:
    lines = []
    for at, words in enumerate(WRONG):
        if count := found[f"wrong_{at}"]:
            file, row = found[f"wrong_{at}_such_as"]
            lines.append(f"{count:,} keys {words} (such as row {row} of {shortened(file)})")
    return lines


def _repeated_ids(lakehouse: Lakehouse) -> list[str]:
    twice = (lakehouse.read(TRANSACTIONS).groupBy("transaction_id").count().where("count > 1")
             .agg(F.count("*").alias("ids"), F.min("transaction_id").alias("one")).first())
    if twice is None or not twice["ids"]:
        return []
    such_as = shortened(twice["one"])
    return [f"{twice['ids']:,} ids are in silver more than once (such as {such_as})"]
