"""The published data as tables, where they lie beside the repository."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame

from branchline import Lakehouse
from fraud_detection.data.days import between
from fraud_detection.settings import Columns, Settings
from fraud_detection.steps import featurize, ingest, prepare
from fraud_detection.tables import TRANSACTIONS
from tests.conftest import COLUMNS, SHARED

PUBLISHED = [pytest.mark.spark, pytest.mark.skipif(
    not SHARED.is_dir(), reason="the published data are not beside the repository")]
FIRST, LAST = date(2018, 8, 8), date(2018, 8, 14)
LOOK_BACK = date(2018, 5, 25)  # the windows of the training days reach no further


def first_fold(spark: Any, folder: Path) -> tuple[Lakehouse, Settings]:
    """Silver and features of the first published fold, from the published transactions.

    The test days come through ingest and prepare; what lies before goes straight into silver.
    """
    pq.write_table(transactions(FIRST, LAST), folder / "transactions.parquet")
    settings = Settings(data=str(folder / "transactions.parquet"), columns=Columns.read(COLUMNS),
                        test_start=FIRST, train_days=7, features="published", class_weight="none",
                        model="logistic_regression")
    lakehouse = Lakehouse(spark, str(folder / "lakehouse"), "published")
    ingest.run(lakehouse, settings)
    assert prepare.run(lakehouse, settings)["silver"] == 67_080
    before = FIRST - timedelta(days=1)
    earlier = typed(spark, transactions(LOOK_BACK, before), folder / "earlier.parquet")
    lakehouse.overwrite(TRANSACTIONS, earlier, between(LOOK_BACK, before))
    featurize.run(lakehouse, settings)
    return lakehouse, settings


def transactions(first: date, last: date) -> pa.Table:
    """The published transactions of these days."""
    return pq.read_table(SHARED / "handbook_transactions.parquet", filters=[
        ("TX_DATETIME", ">=", pd.Timestamp(first)),
        ("TX_DATETIME", "<", pd.Timestamp(last) + pd.Timedelta(days=1))])


def typed(spark: Any, rows: pa.Table, file: Path) -> DataFrame:
    """The rows as silver has them; they pass through a file."""
    time = rows["TX_DATETIME"].cast(pa.timestamp("us", "UTC"))
    pq.write_table(rows.set_column(rows.column_names.index("TX_DATETIME"), "TX_DATETIME", time),
                   file)
    return spark.read.parquet(str(file)).selectExpr(
        "CAST(TRANSACTION_ID AS STRING) AS transaction_id", "TX_DATETIME AS event_time",
        "CAST(CUSTOMER_ID AS STRING) AS customer_id",
        "CAST(TERMINAL_ID AS STRING) AS terminal_id", "TX_AMOUNT AS amount",
        "CAST(TX_FRAUD AS INT) AS is_fraud", "'earlier' AS source_file",
        "TRANSACTION_ID AS source_row")
