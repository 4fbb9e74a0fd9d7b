"""How transactions arrive, as files or messages: their columns, and ids for files without any."""

from __future__ import annotations

import hashlib
from pathlib import PurePath

import pyarrow as pa
import pyarrow.compute as pc

from branchline import BadInput
from branchline.config.kafka_file import KafkaFile
from branchline.lakehouse.sources import KAFKA, FileSource, KafkaSource, Layout, Piece, Source
from fraud_detection.settings import Columns

__all__ = ["landed", "source_of", "with_ids"]

ID = "transaction_id"


def source_of(location: str, columns: Columns, kafka: KafkaFile | None) -> Source:
    """The transactions in a folder, a file or a topic.

    Raises:
        BadInput: a topic, but no settings for Kafka.
    """
    if not location.startswith(KAFKA):
        return landed(location, columns)
    if kafka is None:
        raise BadInput(f"data is {location}, but there are no settings for Kafka; expected a "
                       "file such as -P kafka=kafka.yml.")
    return KafkaSource(location.removeprefix(KAFKA), kafka.client, _layout(columns),
                       kafka.gaps == "record")


def landed(location: str, columns: Columns) -> FileSource:
    """The transactions in a folder or file; ids are optional, labels of JSON lines come later."""
    return FileSource(location, _layout(columns), with_ids)


def _layout(columns: Columns) -> Layout:
    return Layout(columns.names, (ID,), ("is_fraud",))


def with_ids(rows: pa.RecordBatch, piece: Piece) -> pa.RecordBatch:
    """Rows of a file without ids get `name-hash of the path-row`: names may repeat in folders."""
    if piece.found is None or piece.found.positions[ID] is not None:
        return rows
    file = piece.file.address
    prefix = f"{PurePath(file).name}-{hashlib.sha256(file.encode()).hexdigest()[:8]}-"
    made = pc.binary_join_element_wise(prefix, pc.cast(rows.column("source_row"), pa.string()), "")
    return rows.set_column(rows.schema.get_field_index(ID), ID,
                           pc.coalesce(rows.column(ID), made))
