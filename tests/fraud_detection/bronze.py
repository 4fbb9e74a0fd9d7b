"""Bronze rows, good and bad ones, for tests of the steps that read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from pyspark.sql import DataFrame

from fraud_detection.tables import BRONZE_TRANSACTIONS

GOOD = {"transaction_id": "1", "event_time": "2024-01-01 10:00:00", "customer_id": "c",
        "terminal_id": "t", "amount": "10.5", "is_fraud": "0"}
ARRIVED = datetime(2024, 1, 2, tzinfo=timezone.utc)
TEN = 1_704_103_200_000  # 2024-01-01 10:00 UTC
Rows = Iterable[dict[str, str | None]]


def bronze(spark: Any, rows: Rows, file: str = "a.csv", minute: int = 0) -> DataFrame:
    """Rows of text as bronze has them, of one file that was taken at that minute."""
    made = [{"source_file": file, "source_row": at, **GOOD, "problem": None,
             "ignored_columns": None, "arrived_at": ARRIVED,
             "ingested_at": ARRIVED.replace(minute=minute), **row}
            for at, row in enumerate(rows, 1)]
    types = ", ".join(f"{column.name} {column.type}" for column in BRONZE_TRANSACTIONS.columns)
    return spark.createDataFrame(
        [tuple(row[name] for name in BRONZE_TRANSACTIONS.column_names) for row in made], types)


BAD = [
    ({"event_time": "yesterday"}, "event_time yesterday is not a time"),
    ({"event_time": "2024-02-30 00:00:00"}, "event_time 2024-02-30 00:00:00 is not a time"),
    ({"event_time": None}, "event_time is missing"),
    ({"event_time": "2024-01-02 00:00:01"},
     "event_time 2024-01-02 00:00:01 lies after the arrival of its file"),
    ({"amount": "-0.01"}, "amount -0.01 is negative"),
    ({"amount": "NaN"}, "amount NaN is not a finite number"),
    ({"amount": "Infinity"}, "amount Infinity is not a finite number"),
    ({"amount": "1e999"}, "amount 1e999 is not a finite number"),
    ({"amount": "ten"}, "amount ten is not a finite number"),
    ({"amount": ""}, "amount is missing"),
    ({"customer_id": " "}, "customer_id is missing"),
    ({"terminal_id": None}, "terminal_id is missing"),
    ({"transaction_id": None}, "transaction_id is missing"),
    ({"is_fraud": "2"}, "is_fraud 2 is not 0, 1 or missing"),
    ({"amount": "x", "is_fraud": "y"},
     "amount x is not a finite number; is_fraud y is not 0, 1 or missing"),
    ({"problem": "text is not UTF-8"}, "text is not UTF-8"),
]


@contextmanager
def session_set_to(spark: Any, zone: str, ansi: str) -> Iterator[None]:
    wanted = {"spark.sql.session.timeZone": zone, "spark.sql.ansi.enabled": ansi}
    before = {name: str(spark.conf.get(name)) for name in wanted}
    try:
        for name, value in wanted.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)
