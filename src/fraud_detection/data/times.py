"""Parses times in vectors, to the millisecond: ISO 8601, or numbers since 1970."""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["EARLIEST", "LATEST", "counted", "written"]

Ints = NDArray[np.int64]

# Milliseconds since 1970 of the years that every reader of the tables can hold.
EARLIEST = -2_208_988_800_000  # 1900-01-01
LATEST = 9_214_646_399_999  # 2261-12-31 23:59:59.999
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
PER_SECOND = {"seconds": 1000, "milliseconds": 1}

ISO = (r"^(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
       r"(?:[T ](?P<hour>\d{2})"
       r"(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,12}))?)?)?"
       r"(?P<zone> ?[+-]\d{2}:?(?:\d{2})?| ?Z| UTC)?)?$")
BASIC = (r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"
         r"T(?P<hour>\d{2})(?P<minute>\d{2})(?:(?P<second>\d{2})(?:[.,](?P<part>\d{1,12}))?)?"
         r"(?P<zone>[+-]\d{2}:?(?:\d{2})?|Z)?$")
MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def written(text: pa.Array) -> pa.Array:
    """Milliseconds since 1970 of ISO 8601 texts, NULL for others; without a zone it is UTC.

    The date is required; the time of day and its seconds are optional.
    """
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):  # the fast paths, for all or none
        try:
            return _floored(pc.cast(text, kind))
        except pa.ArrowInvalid:
            continue
    extended = _from_parts(pc.extract_regex(text, ISO))
    return pc.coalesce(extended, _from_parts(pc.extract_regex(text, BASIC)))


def _floored(times: pa.Array) -> pa.Array:
    """Microseconds to milliseconds; NumPy's division rounds down, also before 1970."""
    microseconds = pc.fill_null(pc.cast(times, pa.int64()), 0).to_numpy(zero_copy_only=False)
    missing = pc.is_null(times).to_numpy(zero_copy_only=False)
    return pa.array(microseconds // 1000, pa.int64(), mask=missing)


def _from_parts(parts: pa.StructArray) -> pa.Array:
    """Milliseconds from the texts of a time's parts; NULL if there is no such time."""
    matched = pc.is_valid(parts).to_numpy(zero_copy_only=False)
    year, month, day = (_whole(parts, name) for name in ("year", "month", "day"))
    hour, minute, second = (_whole(parts, name) for name in ("hour", "minute", "second"))
    month_safe = np.clip(month, 1, 12)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    length = MONTH_DAYS[month_safe] + (leap & (month_safe == 2))
    offset, zone_right = _offsets(pc.struct_field(parts, "zone"))
    good = (matched & (month == month_safe) & (day >= 1) & (day <= length) & (hour < 24)
            & (minute < 60) & (second < 60) & zone_right)
    fraction = pc.struct_field(parts, "part")
    thousandths = _to_int(pc.utf8_slice_codeunits(
        pc.utf8_rpad(pc.fill_null(fraction, ""), 3, "0"), 0, 3))
    days = _days_since_1970(year, month_safe, day)
    seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second
    return pa.array(seconds * 1000 + thousandths, mask=~good)


def _whole(parts: pa.StructArray, name: str) -> Ints:
    return _to_int(pc.struct_field(parts, name))


def _to_int(text: pa.Array) -> Ints:
    present = pc.if_else(pc.equal(pc.fill_null(text, ""), ""), "0", text)
    return np.asarray(pc.cast(present, pa.int64()).to_numpy(zero_copy_only=False))


def _offsets(zone: pa.Array) -> tuple[Ints, NDArray[np.bool_]]:
    """Minutes east of UTC, and whether they are valid; each distinct zone is parsed once."""
    kinds = pc.fill_null(zone, "").dictionary_encode()
    found = [_offset(kind) for kind in kinds.dictionary.to_pylist()]
    at = kinds.indices.to_numpy(zero_copy_only=False)
    return (np.array([minutes for minutes, _ in found], np.int64)[at],
            np.array([right for _, right in found], bool)[at])


def _offset(zone: str) -> tuple[int, bool]:
    digits = zone.strip().lstrip("+-").replace(":", "")
    if not digits.isdigit():
        return 0, not zone.strip().endswith(":")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    east = hours * 60 + minutes
    return (-east if "-" in zone else east), east <= 18 * 60 and minutes < 60 and zone[-1] != ":"


def _days_since_1970(year: Ints, month: Ints, day: Ints) -> Ints:
    """Days of the proleptic Gregorian calendar (Hinnant, "chrono-compatible date algorithms")."""
    shifted = year - (month <= 2)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days: Ints = era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year
    return days - 719_468


def counted(text: pa.Array, unit: str) -> pa.Array:
    """Milliseconds since 1970 of numbers of `unit`, NULL for others, or if far too large."""
    factor = PER_SECOND[unit]
    try:
        whole = pc.cast(text, pa.int64())
    except pa.ArrowInvalid:
        return pa.array([_millisecond(value, factor) for value in text.to_pylist()], pa.int64())
    small = pc.and_(pc.less(whole, LATEST), pc.greater(whole, -LATEST))
    return pc.multiply(pc.if_else(small, whole, None), factor)


def _millisecond(text: str | None, factor: int) -> int | None:
    if text is None or not NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    if number.adjusted() > 15:
        return None
    return int((number * factor).to_integral_value(ROUND_FLOOR))
