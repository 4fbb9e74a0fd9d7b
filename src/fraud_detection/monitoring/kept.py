"""Writes the windows that a run measured, in place of what was measured of them before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from branchline import Lakehouse, Table
from branchline.monitoring.measures import MEASURES, Measure
from branchline.monitoring.profile_tables import (DRIFT_METRICS, PROFILE_METRICS, drift_row,
                                                  profile_row)
from fraud_detection.monitoring.compared import Columns

__all__ = ["Windows", "keep"]


@dataclass(frozen=True)
class Windows:
    """From when to when windows are measured, in seconds since 1970, and their length."""

    first: int
    end: int
    length: int

    @property
    def condition(self) -> str:
        """On the tables' `window_start`, or `window.start`."""
        return f">= timestamp_seconds({self.first})"


def keep(lakehouse: Lakehouse, windows: Windows, measures: Sequence[Measure],
         columns: Columns) -> None:
    """Replace all rows of these windows, and of later ones."""
    found = list(_profiles(windows, columns))
    _write(lakehouse, MEASURES, [asdict(each) for each in measures],
           f"window_start {windows.condition}")
    for table, at in ((PROFILE_METRICS, 0), (DRIFT_METRICS, 1)):
        _write(lakehouse, table, [_in_time(pair[at]) for pair in found],
               f"window.start {windows.condition}")


def _profiles(windows: Windows,
              columns: Columns) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """For each column of a window, its rows of both profile tables."""
    for key, each in columns.items():
        for name, one in each.items():
            yield (profile_row(key, windows.length, name, one.found),
                   drift_row(key, windows.length, name, one.found, one.trained, one.drift))


def _in_time(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its window's ends as timestamps."""
    ends = {side: datetime.fromtimestamp(at, timezone.utc) for side, at in row["window"].items()}
    return {**row, "window": ends}


def _write(lakehouse: Lakehouse, table: Table, rows: Sequence[Mapping[str, Any]],
           where: str) -> None:
    lakehouse.overwrite(table, lakehouse.spark.createDataFrame(list(rows), table.ddl), where)
