"""The fast path for messages that are plainly right; the others are left to batch's parser."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from branchline.features.online import Event
from fraud_detection.data.landed_columns import Columns
from fraud_detection.data.parsing import LARGEST_AMOUNT
from fraud_detection.data.times import EARLIEST, LATEST, written

__all__ = ["LABEL", "plain_events"]

LABEL = "is_fraud"
NO_TIME = LATEST + 1
LARGEST_ID = 2**63


class _Row(NamedTuple):
    """A message's fields, its time still as text."""

    key: str
    time: str
    entities: dict[str, str]
    values: dict[str, float]


def plain_events(values: Sequence[bytes | None], arrived: Sequence[int], columns: Columns,
                 has_amount: bool) -> list[Event | None]:
    """The events of messages that arrived then (milliseconds); None: ask the full parser.

    What is returned is what the full parser makes of it.
    """
    names = [theirs for _, theirs in columns.names]
    if columns.epoch or not all(names):
        return [None] * len(values)
    others = {ours for ours, theirs in columns.names if ours != theirs}
    loads = _decoder()
    rows = [_row(value, loads, names, others, has_amount) for value in values]
    times = _times([row.time for row in rows if row])
    return [None if row is None else _event(row, times.pop(), latest)
            for row, latest in zip(reversed(rows), reversed(arrived), strict=True)][::-1]


def _decoder() -> Callable[[str], Any]:
    try:
        from orjson import loads
    except ImportError:  # as on a cluster
        return json.loads
    return loads


def _times(texts: Sequence[str]) -> list[int]:
    found = pc.fill_null(written(pa.array(texts, pa.string())), NO_TIME).to_numpy()
    return [int(time) for time in found.tolist()]


def _event(row: _Row, time: int, latest: int) -> Event | None:
    if EARLIEST <= time <= min(latest, LATEST):
        return Event(row.key, time, row.entities, row.values)
    return None


def _row(value: bytes | None, loads: Callable[[str], Any], names: Sequence[str], others: set[str],
         has_amount: bool) -> _Row | None:
    found = _object(value, loads)
    if found is None or not others.isdisjoint(found):
        return None
    key, time, customer, terminal, amount, label = map(found.get, names)
    key, customer, terminal = _text(key), _text(customer), _text(terminal)
    if not (key and customer and terminal and type(time) is str and _is_trimmed(time)):
        return None
    known: dict[str, float] = {}
    if has_amount:
        if not isinstance(amount, (float, int)) or isinstance(amount, bool):
            return None
        if not 0 <= amount <= LARGEST_AMOUNT:
            return None
        known["amount"] = amount + 0.0
    elif type(amount) in (dict, list):
        return None
    if label is not None:
        if type(label) is not int or label not in (0, 1):
            return None
        known[LABEL] = float(label)
    return _Row(key, time, {"customer_id": customer, "terminal_id": terminal}, known)


def _object(value: bytes | None, loads: Callable[[str], Any]) -> dict[str, Any] | None:
    """The message's object if it is printable ASCII, has no key twice, and no escaped text."""
    if value is None or not value.isascii() or b"\\" in value:
        return None
    text = value.decode()
    if not text.isprintable():
        return None
    try:
        found = loads(text)
    except (ValueError, RecursionError):
        return None
    if type(found) is not dict:
        return None
    texts = sum([type(each) is str for each in found.values()])
    return found if value.count(b'"') == 2 * (len(found) + texts) else None


def _text(value: Any) -> str | None:
    """The text of an id that needs no trimming."""
    if type(value) is str:
        return value if _is_trimmed(value) else None
    return str(value) if type(value) is int and 0 < value < LARGEST_ID else None


def _is_trimmed(text: str) -> bool:
    return text[:1] != " " != text[-1:]
