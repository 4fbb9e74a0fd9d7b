"""Proof on the published data, where they lie beside the repository: features and protocol."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame

from benchmarks.folds import measures, scored_fold
from branchline.lakehouse import Lakehouse
from fraud_detection import featurize, ingest, prepare
from fraud_detection.days import between
from fraud_detection.features import names
from fraud_detection.settings import Columns, Settings
from fraud_detection.tables import FEATURES, TRANSACTIONS
from tests.conftest import COLUMNS, SHARED

pytestmark = [pytest.mark.spark, pytest.mark.skipif(
    not SHARED.is_dir(), reason="the published data are not beside the repository")]
FIRST, LAST = date(2018, 8, 8), date(2018, 8, 14)
LOOK_BACK = date(2018, 5, 25)  # the windows of the training days reach no further


@pytest.fixture(scope="module")
def published(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lakehouse, Settings]:
    """Silver and features of the first published fold, from the published transactions.

    The test days come through ingest and prepare; what lies before goes straight into silver.
    """
    folder = tmp_path_factory.mktemp("published")
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


def test_at_most_two_rows_differ_from_the_published_features(
        published: tuple[Lakehouse, Settings]) -> None:
    theirs = pd.read_parquet(SHARED / f"handbook_features_{FIRST}_to_14.parquet")
    theirs = theirs.set_index("TRANSACTION_ID").drop(columns="TX_AMOUNT", errors="ignore")
    ours = published[0].read(FEATURES).toArrow().to_pandas()
    ours.index = ours["transaction_id"].astype(int)
    ours = ours.loc[theirs.index, names("published")[1:]]
    differing = ~np.isclose(ours.to_numpy(), theirs.to_numpy(), rtol=0, atol=1e-6).all(axis=1)
    print(f"published rows {len(theirs):,}, differing {differing.sum()}")
    assert len(theirs) == 67_080 and differing.sum() <= 2


def test_logistic_regression_repeats_the_published_first_fold(
        published: tuple[Lakehouse, Settings]) -> None:
    auc, ap, cp = measures(scored_fold(*published))
    print(f"published .871/.606/.291, ours {auc:.4f}/{ap:.4f}/{cp:.4f}")
    assert abs(auc - .871) <= .003 and abs(ap - .606) <= .01 and abs(cp - .291) <= .005


def test_the_default_model_is_ahead_of_the_published_ones_on_the_first_fold(
        published: tuple[Lakehouse, Settings]) -> None:
    lakehouse, settings = published
    default = replace(settings, model="hist_gradient_boosting", features="full",
                      class_weight="balanced")
    auc, ap, cp = measures(scored_fold(lakehouse, default))
    print(f"published at most .871/.658/.291, ours {auc:.4f}/{ap:.4f}/{cp:.4f}")
    assert auc > .871 and ap > .70 and cp > .291
