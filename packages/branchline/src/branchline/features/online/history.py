"""An entity's recent events as packed arrays, in the kernel's order, with running sums."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from branchline.errors import BadInput
from branchline.features.kernel import UNIT

__all__ = ["History", "Kept", "Series"]

VERSION = 1
HEADER = struct.Struct("<BIII")  # version, fingerprint of the definitions, events, bytes of ids
MISSING = 2


@dataclass(frozen=True)
class Kept:
    """What is stored for a column besides its flags: the values, their running sums."""

    values: bool
    sums: bool


class Series:
    """One column of the events: flags and, if stored, values and running sums.

    A value that is not known is NaN; `sums[n]` is the sum of the first n known values in whole
    millionths; a flag is 1 for a value above 0, 2 for an unknown one, else 0.
    """

    __slots__ = ("flags", "kept", "missing", "sums", "values")

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.flags = bytearray()
        self.values: array[float] = array("d")
        self.sums: array[int] = array("q", [0] if kept.sums else [])
        self.missing = 0

    def insert(self, at: int, value: float) -> None:
        flag = MISSING if value != value else int(value > 0)
        self.missing += flag == MISSING
        self.flags.insert(at, flag)
        if self.kept.values:
            self.values.insert(at, value)
        if self.kept.sums:
            units = _units(value)
            self.sums.insert(at + 1, self.sums[at] + units)
            self._add(at + 1, units)

    def set(self, at: int, value: float) -> None:
        flag = MISSING if value != value else int(value > 0)
        self.missing += (flag == MISSING) - (self.flags[at] == MISSING)
        self.flags[at] = flag
        if self.kept.values:
            self.values[at] = value
        if self.kept.sums:
            self._add(at, _units(value) - (self.sums[at + 1] - self.sums[at]))

    def _add(self, after: int, units: int) -> None:
        """Add `units` to the sums of more than `after` values."""
        if units:
            for n in range(after + 1, len(self.sums)):
                self.sums[n] += units

    def drop(self, count: int) -> None:
        """Forget the first events; the sums start again from 0."""
        self.missing -= self.flags.count(MISSING, 0, count)
        del self.flags[:count]
        if self.kept.values:
            del self.values[:count]
        if self.kept.sums:
            base = self.sums[count]
            self.sums = array("q", [total - base for total in self.sums[count:]])


def _units(value: float) -> int:
    return 0 if value != value else round(value * UNIT)


class History:
    """The events of one entity: times (milliseconds), ids, and a series for each column."""

    __slots__ = ("_ends", "_ids", "series", "times")

    def __init__(self, columns: Mapping[str, Kept]) -> None:
        self.times: array[int] = array("q")
        self.series = {name: Series(kept) for name, kept in columns.items()}
        self._ends: array[int] = array("I")  # where each id ends in the bytes of all ids
        self._ids = b""

    def id(self, at: int) -> str:
        return self._ids[self._ends[at - 1] if at else 0:self._ends[at]].decode(
            "utf-8", "surrogatepass")

    def place(self, time: int, key: str) -> tuple[int, bool]:
        """The event's position in `time_order`, and whether it is already there."""
        at = bisect_right(self.times, time)
        while at and self.times[at - 1] == time:
            before = self.id(at - 1)
            if before == key:
                return at - 1, True
            if (len(before), before) < (len(key), key):
                break
            at -= 1
        return at, False

    def insert(self, at: int, time: int, key: str) -> None:
        """Make room for an event; its values are then inserted into the series."""
        text = key.encode("utf-8", "surrogatepass")
        self.times.insert(at, time)
        begin = self._ends[at - 1] if at else 0
        if at == len(self._ends):
            self._ids += text
            self._ends.append(len(self._ids))
            return
        self._ids = self._ids[:begin] + text + self._ids[begin:]
        later = [end + len(text) for end in self._ends[at:]]
        self._ends[at:] = array("I", [begin + len(text), *later])

    def forget(self, until: int) -> None:
        """Forget the events up to that time."""
        count = bisect_right(self.times, until)
        begin = self._ends[count - 1] if count else 0
        self._ids = self._ids[begin:]
        self._ends = array("I", [end - begin for end in self._ends[count:]])
        del self.times[:count]
        for series in self.series.values():
            series.drop(count)

    def packed(self, fingerprint: int) -> bytes:
        """As bytes; `fingerprint` identifies the definitions of the derived columns."""
        parts: list[bytes | bytearray | array[int] | array[float]] = [
            HEADER.pack(VERSION, fingerprint, len(self.times), len(self._ids)),
            self.times, self._ends, self._ids]
        for series in self.series.values():
            parts += series.flags, series.values, series.sums  # the unused ones are empty
        return b"".join(parts)

    @classmethod
    def unpacked(cls, record: bytes, columns: Mapping[str, Kept], fingerprint: int) -> History:
        """The events of a record.

        Raises:
            BadInput: newer code or other definitions wrote it.
        """
        version, found, size, length = HEADER.unpack_from(record)
        if version != VERSION:
            raise BadInput(f"online store: a record has format {version}; expected at most "
                           f"{VERSION}. Upgrade branchline, or fill the store again.")
        if found != fingerprint:
            raise BadInput("online store: it was filled for other feature definitions. Fill it "
                           "again, or use the store for these definitions.")
        history, view, at = cls(columns), memoryview(record), HEADER.size
        history.times.frombytes(view[at:(at := at + 8 * size)])
        history._ends.frombytes(view[at:(at := at + 4 * size)])
        history._ids = record[at:(at := at + length)]
        for series in history.series.values():
            series.flags += view[at:(at := at + size)]
            series.missing = series.flags.count(MISSING)
            if series.kept.values:
                series.values.frombytes(view[at:(at := at + 8 * size)])
            if series.kept.sums:
                series.sums = array("q")
                series.sums.frombytes(view[at:(at := at + 8 * (size + 1))])
        return history
