"""Lines of the inference log, as text, checked and typed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from branchline.errors import BadInput
from branchline.inference_log.line import FORMAT, OUTCOMES
from branchline.lakehouse.sources.layout import shortened

__all__ = ["checked"]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SOURCES = ("service", "stream", "batch")


def checked(row: Mapping[str, str | None]) -> dict[str, Any]:
    """The line's typed values.

    Raises:
        BadInput: a value is missing or of another type, or newer code wrote the line.
    """
    FORMAT.read({"format": row["format"] or "none"}, "line")
    return {name: _value(name, read, row[name]) for name, read in READERS.items()}


def _value(name: str, read: Callable[[str], Any], text: str | None) -> Any:
    if text is None:
        if name in REQUIRED:
            raise BadInput(f"{name} is missing.")
        return None
    try:
        return read(text)
    except (ValueError, OverflowError):
        raise BadInput(f"{name}: found {shortened(text)!r}, expected {EXPECTED[read]}.") from None


def _text(text: str) -> str:
    if not text:
        raise ValueError
    return text


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError
    return found.astimezone(timezone.utc)


def _since_1970(text: str) -> datetime:
    return EPOCH + timedelta(milliseconds=int(text))


def _number(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError
    return found


def _flag(text: str) -> bool:
    return ("false", "true").index(text) == 1


def _object(text: str) -> str:
    if not isinstance(json.loads(text), dict):
        raise ValueError
    return text


def _source(text: str) -> str:
    return SOURCES[SOURCES.index(text)]


def _outcome(text: str) -> str:
    return OUTCOMES[OUTCOMES.index(text)]


EXPECTED = {
    _text: "a text", _time: "a time in ISO 8601 with its zone",
    _since_1970: "milliseconds since 1970", _number: "a finite number", _flag: "true or false",
    int: "a whole number", _object: "a JSON object as text",
    _source: f"one of {', '.join(SOURCES)}", _outcome: f"one of {', '.join(OUTCOMES)}"}
READERS: dict[str, Callable[[str], Any]] = {
    "line_id": _text, "time": _time, "request_id": _text, "source": _source, "model": _text,
    "model_version": _text, "features_version": str, "store_filled": int, "latency_ms": _number,
    "record_id": _text, "event_time": _since_1970, "entities": _object, "inputs": _object,
    "score": _number, "is_alert": _flag, "is_outlier": _flag, "outlier_score": _number,
    "outcome": _outcome, "guardrails": _text, "labelled": _flag, "trace_id": _text}
REQUIRED = ("line_id", "time", "request_id", "source", "model", "model_version", "outcome")
