"""The result of comparing a table, as values that go to JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["ColumnFound", "Moved", "Sample", "TableFound"]

Texts = Mapping[str, str | None]


@dataclass(frozen=True)
class ColumnFound:
    """A column: its type before and after, None where it is missing; how many values are equal.

    `equal` counts the rows that both sides have; None where values were not compared.
    """

    name: str
    before: str | None
    after: str | None
    equal: int | None = None

    @property
    def change(self) -> str:
        """How the column changed: `added`, `removed`, `INT to BIGINT`, or empty."""
        if self.before is None or self.after is None:
            return "removed" if self.after is None else "added"
        return "" if self.before == self.after else f"{self.before} to {self.after}"


@dataclass(frozen=True)
class Moved:
    """A figure of a KPI table that changed; `key` names the row."""

    key: Texts
    column: str
    before: float
    after: float


@dataclass(frozen=True)
class Sample:
    """A row, every value as text: the whole row or, for a changed row, its key and changes.

    `kind` is `removed`, `added` or `changed`; `changes` are the texts before and after, by column.
    """

    kind: str
    row: Texts
    changes: Mapping[str, tuple[str | None, str | None]]


@dataclass(frozen=True)
class TableFound:
    """How a table differs from before to after.

    `before` and `after` are (Delta version, rows), None where the table is missing. `key` is what
    rows were matched by; `key_change` tells how the declared key differs; `not_matched` why rows
    could not be matched, and the counts are then None. `varying` columns were left out.
    """

    name: str
    before: tuple[int, int] | None
    after: tuple[int, int] | None
    key: tuple[str, ...] = ()
    columns: tuple[ColumnFound, ...] = ()
    key_change: str = ""
    not_matched: str = ""
    removed: int | None = None
    added: int | None = None
    common: int | None = None
    changed: int | None = None
    varying: tuple[str, ...] = ()
    moves: tuple[Moved, ...] = ()
    samples: tuple[Sample, ...] = ()

    @property
    def differs_in(self) -> tuple[str, ...]:
        """Which of `schema`, `rows` and `values` differ; what could not be compared counts, too."""
        one_sided = self.before is None or self.after is None
        unknown = bool(self.not_matched) and not one_sided
        found = {"schema": one_sided or bool(self.key_change)
                 or any(column.change for column in self.columns),
                 "rows": one_sided or unknown or bool(self.removed or self.added),
                 "values": unknown or bool(self.changed)}
        return tuple(name for name, differs in found.items() if differs)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "differs_in": self.differs_in}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TableFound:
        """The value that `to_json` made this content of."""
        plain = {name: value for name, value in content.items() if name != "differs_in"}
        for name, kind in (("columns", ColumnFound), ("moves", Moved), ("samples", Sample)):
            plain[name] = tuple(kind(**each) for each in content[name])
        return cls(**plain | {name: _tuple(content[name])
                              for name in ("before", "after", "key", "varying")})


def _tuple(value: Any) -> Any:
    return None if value is None else tuple(value)
