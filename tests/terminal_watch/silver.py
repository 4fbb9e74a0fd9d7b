"""A few rows of silver.transactions, of terminals of which some are compromised."""

from __future__ import annotations

import numpy as np
import pandas as pd

from branchline import Lakehouse
from fraud_detection.tables import TRANSACTIONS

__all__ = ["fill"]


def fill(lakehouse: Lakehouse, terminals: int = 40, compromised: int = 12, days: int = 60) -> None:
    """Some 3,600 rows: while a terminal is compromised, for 20 days, all of its rows are fraud."""
    source = np.random.default_rng(0)
    cells = np.repeat(np.arange(terminals * days), source.poisson(1.5, terminals * days))
    terminal, day = np.divmod(cells, days)
    begins = 10 + 2 * terminal
    fraud = (terminal < compromised) & (day >= begins) & (day < begins + 20)
    second = day * 86_400 + source.integers(0, 86_400, len(day))
    rows = pd.DataFrame({
        "transaction_id": np.arange(len(day)).astype(str),
        "event_time": pd.Timestamp("2018-04-01", tz="UTC") + pd.to_timedelta(second, unit="s"),
        "customer_id": source.integers(0, 50, len(day)).astype(str),
        "terminal_id": terminal.astype(str), "amount": 10.0 + terminal % 7,
        "is_fraud": fraud.astype(np.int32), "source_file": "a.csv",
        "source_row": np.arange(len(day)) + 1})
    lakehouse.overwrite(TRANSACTIONS, lakehouse.spark.createDataFrame(rows), "true")
