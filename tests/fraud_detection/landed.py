"""Reads a file on disk into rows of the example's columns."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from branchline.lakehouse.sources.listing import listed
from branchline.lakehouse.sources.pieces import pieces_of, read_piece
from fraud_detection.data.landing import landed
from fraud_detection.settings import Columns
from fraud_detection.tables import TRANSACTION_COLUMNS

Land = Callable[..., list[dict[str, Any]]]
GOOD = {"transaction_id": ["1"], "event_time": ["t"], "customer_id": ["c"],
        "terminal_id": ["t"], "amount": [1.5], "is_fraud": [0]}
HEADER = "transaction_id,event_time,customer_id,terminal_id,amount,is_fraud\n"


def batches(path: Path, columns: Columns | None = None) -> list[pa.RecordBatch]:
    """The batches of all of the file's pieces."""
    source = landed(str(path), columns or Columns())
    (file,) = listed(str(path))
    return [source.complete(rows, piece) for piece in pieces_of(file, source.layout)
            for rows in read_piece(piece, source.layout)]


def rows_of(path: Path, content: bytes | str, columns: Columns | None = None,
            ) -> list[dict[str, Any]]:
    """The rows of a file with that content, by their number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    rows = [row for batch in batches(path, columns) for row in batch.to_pylist()]
    return sorted(rows, key=lambda row: int(row["source_row"]))


def parquet(columns: Mapping[str, Any]) -> bytes:
    """A Parquet file with these columns."""
    sink = io.BytesIO()
    pa.parquet.write_table(pa.table(dict(columns)), sink)
    return sink.getvalue()


def values(row: Mapping[str, Any]) -> list[Any]:
    """The values of the transaction's columns, in their order."""
    return [row[name] for name in TRANSACTION_COLUMNS]
