"""Step 4: silver into gold.features: what was known of the card and the terminal at the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import DoubleType, StructField, StructType

from branchline.features.kernel import Definition, compute, look_back_days, time_order
from branchline.lakehouse import Lakehouse
from fraud_detection.data.days import between, milliseconds, run_days
from fraud_detection.data.tables import FEATURES, TRANSACTION_COLUMNS, TRANSACTIONS
from fraud_detection.features import CALENDAR, calendar, definitions, kept
from fraud_detection.settings import Settings

__all__ = ["features", "run"]

TERMINAL, CUSTOMER = "terminal_id", "customer_id"
KERNEL_COLUMNS = ("transaction_id", "event_time", "amount", "is_fraud")
ROWS_AT_ONCE = 65_536


def features(transactions: DataFrame, first: date, last: date, label_delay: int,
             kind: str = "full") -> DataFrame:
    """Silver rows of the days `first` to `last` with the features of a `kind`, all the kernel's.

    Reads only as many days before `first` as the windows look back; the rows of one entity meet
    in one partition, one shuffle an entity.
    """
    def earliest(wanted: list[Definition]) -> date:
        return first - timedelta(days=look_back_days(wanted))

    listed = definitions(kind, label_delay)
    of_terminals, of_customers = ([each for each in listed if each.entity == entity]
                                  for entity in (TERMINAL, CUSTOMER))
    silver, start = transactions.select(*TRANSACTION_COLUMNS), milliseconds(first)
    seen = silver.where(between(earliest(of_terminals), last))
    rows = _with_features(seen, silver.schema, of_terminals, start)
    history = (silver.where(between(earliest(of_customers), first - timedelta(days=1)))
               .select(CUSTOMER, *KERNEL_COLUMNS))
    seen = rows.unionByName(history, allowMissingColumns=True)
    return _with_features(seen, rows.schema, of_customers, start, CALENDAR)


def _with_features(seen: DataFrame, given: StructType, listed: list[Definition], start: int,
                   further: tuple[str, ...] = ()) -> DataFrame:
    """The rows from `start` (milliseconds) on, their `given` columns and an entity's features.

    No feature is nullable: so Spark need not ask each value whether it is NULL.
    """
    entity = listed[0].entity
    added = [*(each.name for each in kept(listed)), *further]
    schema = StructType([*given.fields, *(StructField(name, DoubleType(), nullable=False)
                                          for name in added)])

    def kernel(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        if landed := list(batches):  # a partition without rows gets none
            yield from _computed(pa.Table.from_batches(landed), entity, listed, added, start)

    return seen.repartition(entity).mapInArrow(kernel, schema)


def _computed(table: pa.Table, entity: str, listed: list[Definition], added: list[str],
              start: int) -> list[pa.RecordBatch]:
    number = table[entity].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    time = table["event_time"].cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
    order = time_order(number, time, table["transaction_id"].combine_chunks())
    values = {"amount": table["amount"].to_numpy()[order],
              "is_fraud": table["is_fraud"].cast(pa.float64()).to_numpy()[order]}
    ordered = time[order]
    computed = compute(listed, number[order], ordered, values)
    if set(CALENDAR) <= set(added):  # once, in the last pass
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
