"""Rows of gold.inference_log as the comparison takes them."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from branchline.parity.logged import Logged

__all__ = ["of_lines"]


def of_lines(rows: pa.Table) -> Logged:
    """The rows of events; a row of features that a client gave has no event to compare with.

    The time of a row says which events and labels the store had by then.
    """
    return Logged(events=[_event(row) for row in rows.to_pylist() if row["record_id"] is not None])


def _event(row: dict[str, Any]) -> dict[str, Any]:
    at, inputs = _since_1970(row["event_time"]) // 1000, row["inputs"]
    return {"transaction_id": row["record_id"], "event_time": at, "score": row["score"],
            "model_version": row["model_version"], "features_version": row["features_version"],
            "labelled": bool(row["labelled"]), "store_filled": row["store_filled"] or 0,
            "batch": _since_1970(row["time"]),
            "features": None if inputs is None else json.loads(inputs)}


def _since_1970(time: Any) -> int:
    """In microseconds, without the rounding of a float."""
    found: int = pa.scalar(time, pa.timestamp("us", "UTC")).value
    return found
