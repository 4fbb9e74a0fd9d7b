"""Messages as events, parsed as batch parses them."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from branchline.features.online import Event
from branchline.lakehouse.sources import Layout
from branchline.lakehouse.sources.json_lines import rows_of
from fraud_detection.data.landed_columns import Columns
from fraud_detection.data.parsing import parse

__all__ = ["LABEL", "events_of", "labels_of"]

LABEL = "is_fraud"


def events_of(values: Sequence[bytes | None], arrived: Sequence[int], columns: Columns,
              ) -> list[Event | None]:
    """The transactions in messages that arrived then (milliseconds); None for one that batch would
    put into quarantine."""
    return _parsed(_rows(values, arrived, columns), columns)


def labels_of(values: Sequence[bytes | None], arrived: Sequence[int], columns: Columns,
              ) -> list[Event | None]:
    """Labels of transactions: messages as theirs, which need no amount; None without a label."""
    rows = _rows(values, arrived, columns)
    at = rows.schema.get_field_index("amount")
    found = _parsed(rows.set_column(at, "amount", pa.repeat("0", len(rows))), columns)
    return [Event(each.id, each.time, each.entities, {LABEL: each.values[LABEL]})
            if each and LABEL in each.values else None for each in found]


def _rows(values: Sequence[bytes | None], arrived: Sequence[int],
          columns: Columns) -> pa.RecordBatch:
    texts = [(value or b"").decode("utf-8", "replace") for value in values]
    layout = Layout(columns.names, ("transaction_id",), (LABEL,))
    rows = rows_of(texts, pa.array(range(len(texts)), pa.int64()), layout)
    times = pa.array([time * 1000 for time in arrived], pa.timestamp("us", "UTC"))
    return rows.append_column("arrived_at", times)


def _parsed(rows: pa.RecordBatch, columns: Columns) -> list[Event | None]:
    found = parse(rows, columns.epoch)
    happened = pc.divide(pc.cast(found.values["event_time"], pa.int64()), 1000)
    return [_event(*row) if row[0] else None for row in zip(
        found.valid.to_pylist(), found.values["transaction_id"].to_pylist(), happened.to_pylist(),
        *(found.values[name].to_pylist()
          for name in ("customer_id", "terminal_id", "amount", LABEL)), strict=True)]


def _event(_: bool, key: str, time: int, customer: str, terminal: str, amount: float,
           label: int | None) -> Event:
    known = {} if label is None else {LABEL: float(label)}
    return Event(key, time, {"customer_id": customer, "terminal_id": terminal},
                 {"amount": amount, **known})
