"""How transactions lie in landed files: which columns, and ids for data that have none."""

from __future__ import annotations

import hashlib
from pathlib import PurePath

import pyarrow as pa
import pyarrow.compute as pc

from branchline.lakehouse.sources import FileSource, Layout, Piece
from fraud_detection.settings import Columns

__all__ = ["landed", "with_ids"]

ID = "transaction_id"


def landed(location: str, columns: Columns) -> FileSource:
    """The transactions in a folder or file; ids are optional, labels of JSON lines come later."""
    return FileSource(location, Layout(columns.names, (ID,), ("is_fraud",)), with_ids)


def with_ids(rows: pa.RecordBatch, piece: Piece) -> pa.RecordBatch:
    """Rows of a file without ids get `name-hash of the path-row`: folders may share a file's name.
    """
    if piece.found is None or piece.found.positions[ID] is not None:
        return rows
    file = piece.file.address
    prefix = f"{PurePath(file).name}-{hashlib.sha256(file.encode()).hexdigest()[:8]}-"
    made = pc.binary_join_element_wise(prefix, pc.cast(rows.column("source_row"), pa.string()), "")
    return rows.set_column(rows.schema.get_field_index(ID), ID,
                           pc.coalesce(rows.column(ID), made))
