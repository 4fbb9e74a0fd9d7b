"""Step 4: silver into gold.features: what was known about card and terminal at the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import pyarrow as pa
from pyspark.sql import DataFrame, functions as F
from pyspark.sql.types import DoubleType, StructField, StructType

from branchline import Lakehouse, Step
from branchline.features.arrow import EventColumns, with_features
from branchline.features.kernel import Definition, look_back_days
from branchline.features.versions import version_of
from fraud_detection.data.days import between, milliseconds, run_days
from fraud_detection.feature_versions import DEFINITIONS
from fraud_detection.features import CALENDAR, calendar, definitions, kept
from fraud_detection.settings import Settings
from fraud_detection.tables import FEATURES, TRANSACTION_COLUMNS, TRANSACTIONS

__all__ = ["features", "run", "step"]

TERMINAL, CUSTOMER = "terminal_id", "customer_id"
COLUMNS = EventColumns("transaction_id", "event_time", ("amount", "is_fraud"))
KERNEL_COLUMNS = (COLUMNS.key, COLUMNS.time, *COLUMNS.values)


def features(transactions: DataFrame, first: date, last: date, label_delay: int,
             kind: str = "full") -> DataFrame:
    """Silver rows of the days `first` to `last` with the features of a `kind`, all the kernel's,
    and the definitions' version.

    Reads only as many days before `first` as the windows look back; the rows of one entity go to
    one partition, with one shuffle per kind of entity.
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
    return (_with_features(seen, rows.schema, of_customers, start, CALENDAR)
            .withColumn(DEFINITIONS, F.lit(version_of(listed))))


def _with_features(seen: DataFrame, given: StructType, listed: list[Definition], start: int,
                   further: tuple[str, ...] = ()) -> DataFrame:
    """The rows from `start` (milliseconds) on, their `given` columns and an entity's features.

    No feature is nullable, so Spark need not check each value for NULL.
    """
    added = [*(each.name for each in kept(listed)), *further]
    schema = StructType([*given.fields, *(StructField(name, DoubleType(), nullable=False)
                                          for name in added)])
    from_time = calendar if further else None

    def kernel(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from with_features(batches, COLUMNS, listed, added, start, from_time)

    return seen.repartition(listed[0].entity).mapInArrow(kernel, schema)


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Build the features of the run's days and replace those days; counts: `rows`, `days`."""
    transactions = lakehouse.read(TRANSACTIONS)
    days = run_days(transactions, settings).built
    rows = features(transactions, days.first, days.last, settings.label_delay_days)
    lakehouse.overwrite(FEATURES, rows, between(days.first, days.last))
    written = lakehouse.read(FEATURES).where(between(days.first, days.last)).count()
    return {"rows": written, "days": days.count}


step = Step("featurize", run, reads=(TRANSACTIONS,), writes=(FEATURES,), skippable=True)
