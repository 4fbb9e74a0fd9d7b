"""Parses rows of text: silver's values, and what is wrong with rows that are not valid."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraud_detection.data.times import EARLIEST, LATEST, counted, written
from fraud_detection.tables import TRANSACTION_COLUMNS

__all__ = ["LARGEST_AMOUNT", "Parsed", "parse"]

LARGEST_AMOUNT = 1e9  # in the data's currency; more is a broken export, and breaks linear models
IDS = ("transaction_id", "customer_id", "terminal_id")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
CONTROL = r"[\x00-\x1f\x7f\x{80}-\x{9f}\x{2028}\x{2029}]"
NO_LABEL = {"", "null", "none", "nan", "na", "n/a", "<na>", "\\n"}
SHOWN = 60
Fault = tuple[pa.Array, str, str]  # where, the column, the message


@dataclass(frozen=True)
class Parsed:
    """Silver's `values` by name (meaningful where valid), `valid`, and the texts they came from."""

    values: dict[str, pa.Array]
    valid: pa.Array
    text: dict[str, pa.Array]
    problem: pa.Array
    faults: tuple[Fault, ...]

    def reasons(self) -> pa.Array:
        """Everything that is wrong with each row; NULL if it is valid."""
        words = [pc.if_else(where, _words(name, self.text[name], fault), None)
                 for where, name, fault in self.faults]
        said = pa.nulls(len(self.valid), pa.string())
        for text in words:
            said = pc.coalesce(pc.binary_join_element_wise(said, text, "; "), said, text)
        return pc.if_else(self.valid, None, pc.coalesce(self.problem, said))


def parse(rows: pa.RecordBatch, epoch: str | None, largest: float = LARGEST_AMOUNT) -> Parsed:
    """Read the text columns of bronze rows; times are numbers in `epoch` or, with None, text.

    A time lies in the years 1900 to 2261 and not after the arrival of its file (`arrived_at`).
    """
    text = {name: pc.ascii_trim(rows.column(name), " \t") for name in TRANSACTION_COLUMNS}
    missing = {name: pc.equal(pc.fill_null(text[name], ""), "") for name in TRANSACTION_COLUMNS}
    time = (written if epoch is None else lambda values: counted(values, epoch))(
        pc.if_else(missing["event_time"], None, text["event_time"]))
    amount, no_number = _amounts(pc.if_else(missing["amount"], None, text["amount"]))
    label, no_label = _labels(text["is_fraud"])
    faults = [(missing[name], name, "is missing") for name in TRANSACTION_COLUMNS[:-1]]
    faults += [(broken, name, "holds a line break or control character")
               for name in IDS if (broken := _control(text[name])) is not None]
    faults += [*_time_faults(time, missing["event_time"], rows.column("arrived_at")),
               *_amount_faults(amount, no_number, missing["amount"], largest),
               (no_label, "is_fraud", "is not 0, 1 or missing")]
    faults = [fault for fault in faults if pc.any(fault[0]).as_py()]
    problem = rows.column("problem")
    valid = pc.is_null(problem)
    for where, _, _ in faults:
        valid = pc.and_not(valid, where)
    stamps = pc.cast(pc.multiply(pc.if_else(valid, time, None), 1000), pa.timestamp("us", "UTC"))
    return Parsed({**{name: text[name] for name in IDS}, "event_time": stamps, "amount": amount,
                   "is_fraud": label}, valid, text, problem, tuple(faults))


def _words(name: str, text: pa.Array, fault: str) -> pa.Array:
    if fault == "is missing":
        return pa.repeat(f"{name} {fault}", len(text))
    shown = pc.replace_substring_regex(pc.utf8_slice_codeunits(text, 0, SHOWN), CONTROL, " ")
    return pc.binary_join_element_wise(name, shown, fault, " ")


def _time_faults(time: pa.Array, missing: pa.Array, arrived: pa.Array) -> list[Fault]:
    name = "event_time"
    limit = pc.fill_null(pc.cast(arrived, pa.int64()), LATEST * 1000)
    inside = pc.fill_null(pc.and_(pc.greater_equal(time, EARLIEST), pc.less_equal(time, LATEST)),
                          True)
    late = pc.fill_null(pc.greater(pc.if_else(inside, time, None), pc.divide(limit, 1000)), False)
    return [(pc.and_not(pc.is_null(time), missing), name, "is not a time"),
            (pc.invert(inside), name, "is not within the years 1900 to 2261"),
            (late, name, "lies after the arrival of its file")]


def _amount_faults(amount: pa.Array, no_number: pa.Array, missing: pa.Array, largest: float,
                   ) -> list[Fault]:
    return [(pc.and_not(no_number, missing), "amount", "is not a finite number"),
            (pc.fill_null(pc.less(amount, 0), False), "amount", "is negative"),
            (pc.fill_null(pc.greater(amount, largest), False), "amount",
             f"is more than {largest:,.0f}")]


def _amounts(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The numbers (NULL for others), and where there is none; never infinite, no signed 0."""
    try:
        number = pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        number = pa.array([None if value is None or not NUMBER.fullmatch(value) else float(value)
                           for value in text.to_pylist()], pa.float64())
    number = pc.if_else(pc.is_finite(number), number, None)
    return pc.add(number, 0.0), pc.is_null(number)


def _labels(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """1, 0 or NULL, and where a text is none of them; each distinct text is parsed once."""
    kinds = pc.fill_null(text, "").dictionary_encode()
    found = [_label(kind) for kind in kinds.dictionary.to_pylist()]
    at = kinds.indices
    return (pa.array([label for label, _ in found], pa.int32()).take(at),
            pa.array([wrong for _, wrong in found], pa.bool_()).take(at))


def _label(text: str) -> tuple[int | None, bool]:
    lower = text.lower()
    if lower in NO_LABEL:
        return None, False
    if lower in ("true", "false"):
        return int(lower == "true"), False
    if NUMBER.fullmatch(text) and float(text) in (0.0, 1.0):
        return int(float(text)), False
    return None, True


def _control(text: pa.Array) -> pa.Array | None:
    """Where a text holds a control character or line break; None for nowhere."""
    data = text.buffers()[2]
    if data is None:
        return None
    codes = np.frombuffer(data, np.uint8)
    if not ((codes < 0x20) | (codes == 0x7F) | (codes == 0xC2) | (codes == 0xE2)).any():
        return None
    return pc.fill_null(pc.match_substring_regex(text, CONTROL), False)
