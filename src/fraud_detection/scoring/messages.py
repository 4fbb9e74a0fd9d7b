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
from fraud_detection.scoring.plain_messages import LABEL, plain_events

__all__ = ["LABEL", "events_of", "labels_of"]


def events_of(values: Sequence[bytes | None], arrived: Sequence[int], columns: Columns,
              ) -> list[Event | None]:
    """The transactions in messages that arrived then (milliseconds); None for one that batch would
    put into quarantine."""
    return _read(values, arrived, columns, has_amount=True)


def labels_of(values: Sequence[bytes | None], arrived: Sequence[int], columns: Columns,
              ) -> list[Event | None]:
    """Labels of transactions: messages as theirs, which need no amount; None without a label."""
    return [Event(each.id, each.time, each.entities, {LABEL: each.values[LABEL]})
            if each and LABEL in each.values else None
            for each in _read(values, arrived, columns, has_amount=False)]


def _read(values: Sequence[bytes | None], arrived: Sequence[int], columns: Columns,
          has_amount: bool) -> list[Event | None]:
    found = plain_events(values, arrived, columns, has_amount)
    others = [at for at, event in enumerate(found) if event is None]
    if others:
        rows = _rows([values[at] for at in others], [arrived[at] for at in others], columns)
        if not has_amount:
            at = rows.schema.get_field_index("amount")
            rows = rows.set_column(at, "amount", pa.repeat("0", len(rows)))
        for at, event in zip(others, _parsed(rows, columns), strict=True):
            found[at] = event
    return found


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
