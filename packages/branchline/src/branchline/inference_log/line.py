"""A line of the inference log: its fields, its format version, and how ids are hashed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from branchline.records import Format

__all__ = ["FORMAT", "OUTCOMES", "Entry", "Origin", "hashed", "lines"]

FORMAT = Format("inference", 1)
# late: no score, since it came too late for its features; degraded: scored without the store.
OUTCOMES = ("scored", "flagged", "overridden", "refused", "late", "degraded")
HASH_LENGTH = 32


@dataclass(frozen=True)
class Origin:
    """What the rows of a request share; `source` is service, stream or batch.

    `store_filled` is when the online store was last filled, in microseconds since 1970; 0: never.
    """

    source: str
    model: str
    model_version: str
    features_version: str = ""
    store_filled: int = 0


@dataclass(frozen=True)
class Entry:
    """A scored row.

    `inputs` are the features that the model takes, or all that were computed; `event_time` is in
    milliseconds since 1970 UTC; `guardrails` are the names of the rules that fired.
    """

    inputs: Mapping[str, float] | None
    score: float | None
    is_alert: bool | None
    outcome: str = OUTCOMES[0]
    guardrails: Sequence[str] = ()
    is_outlier: bool | None = None
    outlier_score: float | None = None
    record_id: str | None = None
    event_time: int | None = None
    entities: Mapping[str, str] = field(default_factory=dict)
    labelled: bool = False


def lines(entries: Sequence[Entry], origin: Origin, ids: Sequence[str], request_id: str,
          time: int, latency_ms: float | None, key: bytes | None,
          trace_id: str | None = None) -> bytes:
    """The entries as JSON lines; `ids` are the lines' own, `time` is in microseconds since 1970.

    Each value is a text, a number, a boolean or null, so that every reader of JSON lines has it as
    a column; `entities` and `inputs` are JSON objects as text.
    """
    shared = {"time": _written(time), "request_id": request_id, "source": origin.source,
              "model": origin.model, "model_version": origin.model_version,
              "features_version": origin.features_version, "store_filled": origin.store_filled,
              "latency_ms": None if latency_ms is None else round(latency_ms, 3),
              "trace_id": trace_id}
    return b"".join(_encoded(FORMAT.written({"line_id": line_id, **shared, **_own(entry, key)}))
                    + b"\n" for line_id, entry in zip(ids, entries, strict=True))


def _own(entry: Entry, key: bytes | None) -> dict[str, Any]:
    entities = entry.entities if key is None else {
        name: hashed(value, key) for name, value in entry.entities.items()}
    inputs = None if entry.inputs is None else _encoded(entry.inputs).decode()
    return {"record_id": entry.record_id, "event_time": entry.event_time,
            "entities": _encoded(entities).decode() if entities else None, "inputs": inputs,
            "score": entry.score, "is_alert": entry.is_alert, "is_outlier": entry.is_outlier,
            "outlier_score": entry.outlier_score, "outcome": entry.outcome,
            "guardrails": ",".join(entry.guardrails) or None, "labelled": entry.labelled}


def _encoded(value: Mapping[str, Any]) -> bytes:
    """Compact JSON; NaN, a missing input, is null."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:
        plain = {name: None if each != each else each for name, each in value.items()}
        return json.dumps(plain, separators=(",", ":"), allow_nan=False).encode()


def _written(time: int) -> str:
    seconds, micros = divmod(time, 1_000_000)
    day = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{day:%Y-%m-%dT%H:%M:%S}.{micros:06d}Z"


def hashed(text: str, key: bytes) -> str:
    """The id under a key: without it, it cannot be found by trying all ids."""
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:HASH_LENGTH]
