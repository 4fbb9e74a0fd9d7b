"""Transactions of a request as events, by the rule by which batch reads them."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from branchline import BadInput
from branchline.features.online import Event
from branchline.serving import number, shown
from fraud_detection.data.parsing import LARGEST_AMOUNT
from fraud_detection.data.times import EARLIEST, written

__all__ = ["EXAMPLE", "events_of"]

EXAMPLE = {"transaction_id": "example-1", "event_time": "2018-06-01T12:00:00Z",
           "customer_id": "596", "terminal_id": "3156", "amount": 57.16}
IDS = ("transaction_id", "customer_id", "terminal_id")
LONGEST = 200  # characters of an id
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def events_of(records: Sequence[Any]) -> list[Event]:
    """The records' events.

    Raises:
        BadInput: a record that batch would put into quarantine, or that has further fields.
    """
    for at, record in enumerate(records):
        _check_fields(record, f"transactions, row {at}")
    times = written(pa.array([record["event_time"].strip(" \t") for record in records],
                             pa.string())).to_pylist()
    now = time.time_ns() // 1_000_000
    return [_event(record, at, now, f"transactions, row {row}")
            for row, (record, at) in enumerate(zip(records, times, strict=True))]


def _check_fields(record: Any, where: str) -> None:
    if not isinstance(record, dict):
        raise BadInput(f"{where}: found {shown(record)}, expected an object.")
    for name in EXAMPLE:
        if name not in record:
            raise BadInput(f"{where}: {name} is missing; expected {', '.join(EXAMPLE)}.")
    for name in record:
        if name not in EXAMPLE:
            raise BadInput(f"{where}: found the field {shown(name)}, expected only "
                           f"{', '.join(EXAMPLE)}.")
    given = record["event_time"]
    if not isinstance(given, str) or len(given) > LONGEST or CONTROL.search(given.strip(" \t")):
        raise BadInput(f"{where}: event_time: found {shown(given)}, expected a time in ISO 8601.")


def _event(record: dict[str, Any], at: int | None, now: int, where: str) -> Event:
    if at is None or not EARLIEST <= at <= now:
        raise BadInput(f"{where}: event_time: found {shown(record['event_time'])}, expected a time "
                       "in ISO 8601, from 1900 until now.")
    key, customer, terminal = (_id(record[name], f"{where}: {name}") for name in IDS)
    amount = number(record["amount"], f"{where}: amount")
    if not 0 <= amount <= LARGEST_AMOUNT:
        raise BadInput(f"{where}: amount: found {amount:g}, expected 0 to {LARGEST_AMOUNT:,.0f}.")
    return Event(key, at, {"customer_id": customer, "terminal_id": terminal},
                 {"amount": amount + 0.0})


def _id(given: Any, where: str) -> str:
    """The id: a text without the blanks around it, or an integer."""
    text = str(given) if type(given) is int else given
    if isinstance(text, str):
        text = text.strip(" \t")
        if 0 < len(text) <= LONGEST and not CONTROL.search(text):
            return text
    raise BadInput(f"{where}: found {shown(given)}, expected a text of 1 to {LONGEST} characters, "
                   "none of them a control character.")
