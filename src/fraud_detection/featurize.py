"""Step 4: silver into gold.features: what was known of the card and the terminal at the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import DoubleType, StructField, StructType

from branchline.lakehouse import Lakehouse
from fraud_detection.days import between, milliseconds, run_days
from fraud_detection.features import CALENDAR, calendar, definitions
from fraud_detection.kernel import Definition, compute, look_back_days, time_order
from fraud_detection.settings import Settings
from fraud_detection.tables import FEATURES, TRANSACTION_COLUMNS, TRANSACTIONS

__all__ = ["features", "run"]

ENTITIES = ("terminal_id", "customer_id")
KERNEL_COLUMNS = ("transaction_id", "event_time", "amount", "is_fraud")
ROWS_AT_ONCE = 65_536


def features(transactions: DataFrame, first: date, last: date, label_delay: int,
             kind: str = "full") -> DataFrame:
    """Silver rows of the days `first` to `last` with the features of a `kind`, all the kernel's.

    Reads only as many days before `first` as the windows look back; the rows of one entity meet
    in one partition, one shuffle an entity.
    """
    listed = definitions(kind, label_delay)
    silver = transactions.select(*TRANSACTION_COLUMNS)
    rows = silver.where(between(first, last))
    for entity in ENTITIES:
        wanted = [each for each in listed if each.entity == entity]
        seen = between(first - timedelta(days=look_back_days(wanted)), first - timedelta(days=1))
        history = silver.where(seen).select(entity, *KERNEL_COLUMNS)
        rows = _with_features(rows.unionByName(history, allowMissingColumns=True), entity, wanted,
                              milliseconds(first))
    return rows.drop(*(each.name for each in listed if each.name.startswith("_")))


def _with_features(rows: DataFrame, entity: str, listed: list[Definition], start: int) -> DataFrame:
    """`rows` from `start` (milliseconds) on with the entity's features; earlier are history."""
    added = [name for name in (*CALENDAR, *(each.name for each in listed))
             if name not in rows.columns]
    schema = StructType([*rows.schema.fields, *(StructField(name, DoubleType()) for name in added)])

    def kernel(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        table = pa.Table.from_batches(list(batches))
        if table.num_rows:
            yield from _computed(table, entity, listed, added, start)

    return rows.repartition(entity).mapInArrow(kernel, schema)


def _computed(table: pa.Table, entity: str, listed: list[Definition], added: list[str],
              start: int) -> list[pa.RecordBatch]:
    number = table[entity].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    time = table["event_time"].cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
    order = time_order(number, time, table["transaction_id"].combine_chunks())
    values = {"amount": table["amount"].to_numpy()[order],
              "is_fraud": table["is_fraud"].cast(pa.float64()).to_numpy()[order]}
    ordered = time[order]
    computed = compute(listed, number[order], ordered, values)
    if set(CALENDAR) <= set(added):  # in the first pass only
        computed |= calendar(ordered)
    wanted = ordered >= start
    rows = table.take(pa.array(order[wanted]))
    for name in added:
        rows = rows.append_column(name, pa.array(computed[name][wanted]))
    batches: list[pa.RecordBatch] = rows.to_batches(max_chunksize=ROWS_AT_ONCE)
    return batches


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Build the features of the run's days and replace those days; counts: `rows`, `days`."""
    transactions = lakehouse.read(TRANSACTIONS)
    days = run_days(transactions, settings).built
    rows = features(transactions, days.first, days.last, settings.label_delay_days)
    lakehouse.overwrite(FEATURES, rows, between(days.first, days.last))
    written = lakehouse.read(FEATURES).where(between(days.first, days.last)).count()
    return {"rows": written, "days": days.count}
