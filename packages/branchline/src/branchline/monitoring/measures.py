"""Measures: what a window of the inference log says about one thing, and whether it changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from branchline.lakehouse.table import Column, Table

__all__ = ["CHANGED", "MEASURES", "Measure", "OK", "TOO_FEW", "UNTESTED"]

OK, CHANGED, TOO_FEW, UNTESTED = "ok", "changed", "too_few", ""


@dataclass(frozen=True)
class Measure:
    """A value of a window, from `window_start` up to before `window_end` (UTC).

    `model_version` is "" where the value is not of one model; `slice` is "" for all rows, else
    `column=value`. `subject` is a column, or score, labels or service. `value` None: nothing can
    be said. `rows` is the sample's size; `verdict` is ok, changed, too_few, or "" without a test.
    """

    window_start: datetime
    window_end: datetime
    model_version: str
    slice: str
    subject: str
    name: str
    value: float | None
    low: float | None
    high: float | None
    rows: int
    verdict: str = UNTESTED


MEASURES = Table(
    "gold.monitoring_measures", "What each window of the inference log says, and what changed",
    key=("window_start", "window_end", "model_version", "slice", "subject", "name"), kpis=True,
    columns=(
        Column("window_start", "TIMESTAMP", "The window's first moment (UTC)", True),
        Column("window_end", "TIMESTAMP", "The moment after its last (UTC)", True),
        Column("model_version", "STRING", "The model that scored; empty: all", True, varies=True),
        Column("slice", "STRING", "The part of the rows, `column=value`; empty: all", True),
        Column("subject", "STRING", "A column, or score, labels or service", True),
        Column("name", "STRING", "What was measured, such as psi", True),
        Column("value", "DOUBLE", "The value; null: nothing can be said"),
        Column("low", "DOUBLE", "The lower end of its 95 % interval"),
        Column("high", "DOUBLE", "The upper end of its 95 % interval"),
        Column("rows", "BIGINT", "The sample's size", True),
        Column("verdict", "STRING", "ok, changed, too_few; empty: there is no test", True)))
