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

__all__ = ["events_of"]


def events_of(values: Sequence[bytes | None], arrived: Sequence[int], columns: Columns,
              ) -> list[Event | None]:
    """The transactions in messages that arrived then (milliseconds); None for one that batch would
    put into quarantine."""
    texts = [(value or b"").decode("utf-8", "replace") for value in values]
    layout = Layout(columns.names, ("transaction_id",), ("is_fraud",))
    rows = rows_of(texts, pa.array(range(len(texts)), pa.int64()), layout)
    times = pa.array([time * 1000 for time in arrived], pa.timestamp("us", "UTC"))
    found = parse(rows.append_column("arrived_at", times), columns.epoch)
    happened = pc.divide(pc.cast(found.values["event_time"], pa.int64()), 1000)
    return [_event(*row) if row[0] else None for row in zip(
        found.valid.to_pylist(), found.values["transaction_id"].to_pylist(), happened.to_pylist(),
        *(found.values[name].to_pylist()
          for name in ("customer_id", "terminal_id", "amount", "is_fraud")), strict=True)]


def _event(_: bool, key: str, time: int, customer: str, terminal: str, amount: float,
           label: int | None) -> Event:
    known = {} if label is None else {"is_fraud": float(label)}
    return Event(key, time, {"customer_id": customer, "terminal_id": terminal},
                 {"amount": amount, **known})
