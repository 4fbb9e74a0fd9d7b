"""The interface of a source: appends what is new to a table, exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.table import Table

__all__ = ["Source", "Taken"]


@dataclass(frozen=True)
class Taken:
    """What one call appended: rows, files (or other units), rows with a problem; and remarks."""

    rows: int = 0
    units: int = 0
    problems: int = 0
    remarks: tuple[str, ...] = ()


class Source(Protocol):
    """Rows from outside; files, or a topic's messages."""

    def append(self, lakehouse: Lakehouse, table: Table) -> Taken:
        """Append to `table` what it does not have yet: once, even if killed anywhere and repeated.

        Raises:
            BadInput: the data cannot be taken as they are; then nothing is taken.
        """
        ...
