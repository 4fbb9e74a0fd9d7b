"""Measures of simulated days, for tests of policies."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

from branchline.monitoring.measures import Measure

DAY = timedelta(days=1)
FIRST = datetime(2026, 1, 1, tzinfo=timezone.utc)


def day(number: int) -> datetime:
    """The beginning of a simulated day, from 0."""
    return FIRST + number * DAY


def measure(number: int, value: float | None, *, name: str = "psi", subject: str = "score",
            of_slice: str = "", model: str = "1", low: float | None = None,
            high: float | None = None, verdict: str = "", rows: int = 1000) -> Measure:
    """A measure of a whole day."""
    return Measure(day(number), day(number + 1), model, of_slice, subject, name, value, low, high,
                   rows, verdict)


def write(file: Path, measures: Iterable[Measure]) -> Path:
    """As `--measures` reads them."""
    file.write_text("".join(json.dumps(asdict(each), default=str) + "\n" for each in measures))
    return file
