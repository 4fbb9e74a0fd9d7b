"""A few transactions, as landed files, of terminals of which some are compromised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["land"]

START = np.datetime64("2018-04-01", "us")


def land(folder: Path, terminals: int = 40, compromised: int = 12, days: int = 60) -> Path:
    """Some 3,600 rows: while a terminal is compromised, for 20 days, all of its rows are fraud."""
    source = np.random.default_rng(0)
    cells = np.repeat(np.arange(terminals * days), source.poisson(1.5, terminals * days))
    terminal, day = np.divmod(cells, days)
    begins = 10 + 2 * terminal
    fraud = (terminal < compromised) & (day >= begins) & (day < begins + 20)
    second = day * 86_400 + source.integers(0, 86_400, len(day))
    folder.mkdir(parents=True)
    pq.write_table(pa.table({
        "TRANSACTION_ID": np.arange(len(day)),
        "TX_DATETIME": START + second.astype("timedelta64[s]"),
        "CUSTOMER_ID": source.integers(0, 50, len(day)), "TERMINAL_ID": terminal,
        "TX_AMOUNT": 10.0 + terminal % 7, "TX_FRAUD": fraud.astype(np.int64)}),
        folder / "transactions.parquet")
    return folder
