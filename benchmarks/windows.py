"""The published 15 features as others build them: by DuckDB, Spark's range windows and pandas."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
from pyspark.sql import DataFrame

WINDOWS = (1, 7, 30)
DELAY = 7


def duckdb_windows(transactions: DataFrame, folder: Path) -> None:
    """Over the same Parquet files, into a Parquet file."""
    files = [file.removeprefix("file:") for file in transactions.inputFiles()]
    duckdb.sql(
        "COPY (SELECT transaction_id, event_time, customer_id, terminal_id, is_fraud, amount, "
        "dayofweek(event_time) IN (0, 6) AS weekend, hour(event_time) <= 6 AS night, "
        f"{', '.join(_columns())} FROM (SELECT * REPLACE (event_time::TIMESTAMP AS event_time) "
        f"FROM read_parquet({files!r}))) TO '{folder}/duckdb.parquet'")


def spark_windows(transactions: DataFrame) -> DataFrame:
    """The same rows and columns by Spark's window functions."""
    return transactions.selectExpr(
        "transaction_id", "event_time", "customer_id", "terminal_id", "is_fraud", "amount",
        "dayofweek(event_time) IN (1, 7) AS weekend", "hour(event_time) <= 6 AS night",
        *_columns())


def _columns() -> list[str]:
    """Counts and means of each window, in SQL that both understand."""
    def window(entity: str, days: int, delay: int) -> str:
        end = f"INTERVAL {delay} DAYS PRECEDING" if delay else "CURRENT ROW"
        return (f"OVER (PARTITION BY {entity} ORDER BY event_time RANGE BETWEEN "
                f"INTERVAL {days + delay} DAYS PRECEDING AND {end})")

    columns = []
    for days in WINDOWS:
        columns += [f"count(*) {window('customer_id', days, 0)} AS customer_count_{days}d",
                    f"avg(amount) {window('customer_id', days, 0)} AS customer_mean_{days}d"]
        terminal = window("terminal_id", days, DELAY)
        columns += [f"count(*) {terminal} AS terminal_count_{days}d",
                    f"coalesce(avg(is_fraud) {terminal}, 0) AS terminal_rate_{days}d"]
    return columns


def pandas_windows(rows: pd.DataFrame) -> pd.DataFrame:
    """Windows as the handbook's chapter 3 describes them: rolling by time within each entity."""
    def customer(group: pd.DataFrame) -> pd.DataFrame:
        for days in WINDOWS:
            amounts = group["amount"].rolling(f"{days}d")
            group[f"customer_count_{days}d"] = amounts.count()
            group[f"customer_mean_{days}d"] = amounts.sum() / group[f"customer_count_{days}d"]
        return group

    def terminal(group: pd.DataFrame) -> pd.DataFrame:
        fraud = group["is_fraud"].rolling(f"{DELAY}d")
        for days in WINDOWS:
            both = group["is_fraud"].rolling(f"{DELAY + days}d")
            count = both.count() - fraud.count()
            group[f"terminal_count_{days}d"] = count
            group[f"terminal_rate_{days}d"] = ((both.sum() - fraud.sum()) / count).fillna(0)
        return group

    indexed = rows.set_index("event_time")
    indexed = pd.concat([customer(group.copy()) for _, group in indexed.groupby("customer_id")])
    return pd.concat([terminal(group.copy()) for _, group in
                      indexed.sort_index().groupby("terminal_id")])
