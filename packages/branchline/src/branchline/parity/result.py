"""The result of a comparison, by column and by reason, and its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from branchline.records import Format, encoded

__all__ = ["ARTIFACT", "FORMAT", "PARITY", "ColumnParity", "Example", "Parity", "log_parity"]

PARITY = "parity"  # the step's name
ARTIFACT = f"{PARITY}/parity.json"
FORMAT = Format("parity", 1)


@dataclass(frozen=True)
class Example:
    """A value that differs; `reason` None: unexplained."""

    key: str
    logged: float | None
    batch: float | None
    reason: str | None


@dataclass(frozen=True)
class ColumnParity:
    """One column: how many values were compared, differ with a proven reason, and without one.

    `largest` is the largest difference of both.
    """

    name: str
    values: int
    explained: int
    mismatches: int
    largest: float
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Parity:
    """The comparison of `events` logged events.

    Args:
        late: events that came too late for their features, so have none.
        skipped: values that were not compared, by reason, such as another version of features.
        reasons: explained values by reason.
    """

    events: int
    late: int
    columns: tuple[ColumnParity, ...]
    reasons: Mapping[str, int]
    skipped: Mapping[str, int]

    @property
    def values(self) -> int:
        return sum(column.values for column in self.columns)

    @property
    def mismatches(self) -> int:
        return sum(column.mismatches for column in self.columns)

    @property
    def explained(self) -> int:
        return sum(column.explained for column in self.columns)

    @property
    def share(self) -> float:
        """The mismatches' share of all compared values, 0 to 1."""
        return self.mismatches / self.values if self.values else 0.0

    def to_json(self) -> dict[str, Any]:
        return FORMAT.written({**asdict(self), "values": self.values, "mismatch_share": self.share,
                               "mismatches": self.mismatches, "explained": self.explained})

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: str = ARTIFACT) -> Parity:
        found = FORMAT.read(content, where)
        columns = tuple(ColumnParity(**{
            **column, "examples": tuple(Example(**each) for each in column["examples"])})
            for column in found["columns"])
        return cls(found["events"], found["late"], columns, found["reasons"], found["skipped"])


def log_parity(found: Parity) -> None:
    """Log the result to the active run: its JSON, the share and each column's mismatches."""
    import mlflow
    mlflow.log_text(encoded(found.to_json()).decode(), ARTIFACT)
    mlflow.log_metrics({f"{PARITY}/mismatch_share": found.share,
                        **{f"{PARITY}/mismatches.{column.name}": float(column.mismatches)
                           for column in found.columns}})
