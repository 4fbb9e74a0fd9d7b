"""The report of the data counts what is in the tables, in UTC, and opens without a network."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from branchline import Lakehouse
from fraud_detection.settings import Settings
from fraud_detection.steps import explore
from fraud_detection.tables import (BRONZE_TRANSACTIONS, DUPLICATES, QUARANTINE,
                                    TRANSACTION_COLUMNS, TRANSACTIONS)

if TYPE_CHECKING:
    from mlflow import ActiveRun

pytestmark = pytest.mark.spark

SILVER = [  # time, terminal, amount, label
    ("2020-03-01 00:30:00", "a", 0.0, 0),
    ("2020-03-01 23:59:59", "a", 9.99, 1),
    ("2020-03-03 00:00:00", "a", 10.0, 1),
    ("2020-03-03 12:00:00", "b", 19.5, None),
    ("2020-03-03 12:59:59", "c", 250.0, 0),
]


def silver(spark: SparkSession, rows: list[tuple[str, str, float, int | None]]) -> DataFrame:
    made = [(f"t{number}", datetime.fromisoformat(time).replace(tzinfo=timezone.utc),
             "c" + terminal, terminal, amount, label, "file", number)
            for number, (time, terminal, amount, label) in enumerate(rows)]
    return spark.createDataFrame(made, ", ".join(
        f"{column.name} {column.type}" for column in TRANSACTIONS.columns))


def text_rows(spark: SparkSession, columns: list[str], rows: list[tuple[str | None, ...]],
              table: str) -> DataFrame:
    made = spark.createDataFrame(rows, ", ".join(f"{name} STRING" for name in columns))
    return made.selectExpr("*", "'file' AS source_file", "monotonically_increasing_id() + 1 AS "
                           "source_row", "NULL AS arrived_at", "NULL AS ingested_at",
                           *(f"CAST(NULL AS STRING) AS {name}" for name in
                             (*TRANSACTION_COLUMNS, "problem", "ignored_columns")
                             if table == "bronze" and name not in columns or
                             table != "bronze" and name in TRANSACTION_COLUMNS))


def quarantine(spark: SparkSession, reasons: list[str]) -> DataFrame:
    return text_rows(spark, ["reason"], [(reason,) for reason in reasons], "quarantine")


@pytest.fixture(scope="module")
def transactions(spark: SparkSession) -> DataFrame:
    return silver(spark, SILVER)


def counts(table: pd.DataFrame) -> list[tuple[int, ...]]:
    return list(table[["transactions", "labelled", "frauds"]].itertuples(index=False, name=None))


def test_days_are_utc_days_and_a_day_without_rows_is_among_them(transactions: DataFrame) -> None:
    table = explore.by_day(transactions)
    assert table["day"].dt.strftime("%d").tolist() == ["01", "02", "03"]
    assert counts(table) == [(2, 2, 1), (0, 0, 0), (3, 2, 1)]


def test_hours_are_utc_hours_and_all_24_are_there(transactions: DataFrame) -> None:
    table = explore.by_hour(transactions)
    assert table["hour"].tolist() == list(range(24))
    assert {hour: found for hour, found in enumerate(counts(table)) if any(found)} == {
        0: (2, 2, 1), 12: (2, 1, 0), 23: (1, 1, 1)}


def test_the_session_time_zone_moves_neither_days_nor_hours(
        spark: SparkSession, transactions: DataFrame) -> None:
    before = explore.by_day(transactions), explore.by_hour(transactions)
    zone = spark.conf.get("spark.sql.session.timeZone")
    try:
        spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
        after = explore.by_day(transactions), explore.by_hour(transactions)
    finally:
        spark.conf.set("spark.sql.session.timeZone", zone or "UTC")
    assert all(one.equals(other) for one, other in zip(before, after, strict=True))


def test_an_amount_on_a_bound_belongs_to_the_band_above_it(transactions: DataFrame) -> None:
    table = explore.by_amount(transactions)
    found = dict(zip(table["band"], counts(table), strict=True))
    assert found == {
        "under 0.01": (1, 1, 0), "0.01 to 0.02": (0, 0, 0), "0.02 to 0.05": (0, 0, 0),
        "0.05 to 0.1": (0, 0, 0), "0.1 to 0.2": (0, 0, 0), "0.2 to 0.5": (0, 0, 0),
        "0.5 to 1": (0, 0, 0), "1 to 2": (0, 0, 0), "2 to 5": (0, 0, 0), "5 to 10": (1, 1, 1),
        "10 to 20": (2, 1, 1), "20 to 50": (0, 0, 0), "50 to 100": (0, 0, 0),
        "100 to 200": (0, 0, 0), "200 to 500": (1, 1, 0)}


def test_the_lowest_amounts_are_one_band_until_they_are_a_hundredth(spark: SparkSession) -> None:
    cents = [("2020-03-01 00:00:00", "a", 0.03, 0), ("2020-03-01 00:00:00", "a", 3.0, 1)]
    usual = [("2020-03-01 00:00:00", "a", 15.0, 0)] * 300
    table = explore.by_amount(silver(spark, cents + usual))
    assert dict(zip(table["band"], counts(table), strict=True)) == {"under 20": (302, 302, 1)}


def test_terminals_are_counted_by_their_transactions_and_frauds(transactions: DataFrame) -> None:
    found = explore.by_terminal(transactions)[["transactions", "frauds", "terminals"]]
    assert set(found.itertuples(index=False, name=None)) == {(3, 2, 1), (1, 0, 2)}


def test_the_median_and_the_customers_are_those_of_all_rows(transactions: DataFrame) -> None:
    assert explore.totals(transactions) == {"customers": 3, "median": 10.0}


def test_a_blank_value_is_missing_and_unreadable_rows_do_not_count(spark: SparkSession) -> None:
    rows = text_rows(spark, ["amount", "is_fraud", "problem"],
                     [(" ", None, None), ("5", None, None), (None, "1", "row is not JSON")],
                     "bronze")
    found = explore.landed(rows)
    assert (found["files"], found["rows"]) == (1, 2)
    assert (found["amount"], found["is_fraud"], found["customer_id"]) == (1, 2, 2)


def test_reasons_are_counted_without_the_values_they_quote(spark: SparkSession) -> None:
    found = explore.rejected(quarantine(spark, [
        "amount -3 is negative", "customer_id is missing; amount -4; x is negative",
        "event_time it is\nlate lies after the arrival of its file", "row has 3 values, expected 6",
        "is_fraud maybe is not 0, 1 or missing"]))
    assert dict(zip(found["reason"], found["rows"], strict=True)) == {
        "amount is negative": 2, "customer_id is missing": 1,
        "event_time lies after the arrival of its file": 1, "row has 3 values, expected 6": 1,
        "is_fraud is not 0, 1 or missing": 1}


def filled(lakehouse: Lakehouse, reasons: list[str], rows: DataFrame) -> Lakehouse:
    lakehouse.merge(TRANSACTIONS, rows)
    lakehouse.merge(QUARANTINE, quarantine(lakehouse.spark, reasons))
    lakehouse.create(DUPLICATES)
    lakehouse.create(BRONZE_TRANSACTIONS)
    return lakehouse


def report(lakehouse: Lakehouse, run: ActiveRun,
           folder: Path) -> tuple[dict[str, int], set[str], str]:
    import mlflow
    found = explore.run(lakehouse, Settings())
    local = Path(mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="explore", dst_path=str(folder)))
    return (found, {path.name for path in local.iterdir()},
            (local / "report.html").read_text(encoding="utf-8"))


def test_the_run_has_every_picture_and_one_page_that_holds_them(
        lakehouse: Lakehouse, transactions: DataFrame, run: ActiveRun,
        tmp_path: Path) -> None:
    found, files, page = report(filled(lakehouse, [], transactions), run, tmp_path)
    assert found == {"rows": 5, "days": 3, "pictures": 6}
    assert files == {"volume_by_day.png", "by_hour.png", "by_amount.png", "by_terminal.png",
                     "labels.png", "missing_values.png", "report.html"}
    assert page.count("data:image/png;base64,") == 6
    assert "http" not in page and "<script" not in page


def test_the_page_is_there_even_if_every_row_was_rejected(
        lakehouse: Lakehouse, spark: SparkSession, run: ActiveRun,
        tmp_path: Path) -> None:
    rejected = filled(lakehouse, ["file: <b>no & table</b>"], silver(spark, []))
    found, files, page = report(rejected, run, tmp_path)
    assert found == {"rows": 0, "days": 0, "pictures": 6}
    assert len(files) == 7
    assert "<b>" not in page
