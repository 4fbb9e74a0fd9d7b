"""The gate's policy: what a candidate must reach, and how far it may fall behind the champion."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["MetricRule", "Policy", "Replay", "Sanity", "SliceRule", "Tolerance"]


@dataclass(frozen=True)
class Tolerance:
    """How much worse may pass: in the metric's unit, or as a share of the champion's value."""

    amount: float
    is_share: bool = False

    def of(self, champion: float) -> float:
        """In the metric's unit."""
        return self.amount * abs(champion) if self.is_share else self.amount

    def __str__(self) -> str:
        return f"{self.amount:.4g}" if not self.is_share else f"{100 * self.amount:.4g}%"


@dataclass(frozen=True)
class MetricRule:
    """`direction` says which values are better; `floor` is the worst value that may pass."""

    name: str
    direction: str = "higher"
    floor: float | None = None
    tolerance: Tolerance | None = None


@dataclass(frozen=True)
class SliceRule:
    """Slices of a kind with enough rows and positives are judged, the others only shown."""

    kind: str
    tolerance: Tolerance
    min_rows: int = 1
    min_positives: int = 1


@dataclass(frozen=True)
class Sanity:
    """Requirements on the held-out rows, with ages in days at the gate's run; None: none."""

    min_rows: int = 1
    label_rate: tuple[float, float] = (0.0, 1.0)
    ingested_within_days: float | None = None
    event_within_days: float | None = None


@dataclass(frozen=True)
class Replay:
    """Without a model: how the deployed version is run on the candidate's input.

    `run` is the entry point that the deployed wheels run, `judge` the one by which the candidate's
    code measures what they made.
    """

    run: str
    judge: str


@dataclass(frozen=True)
class Policy:
    """What the gate requires.

    `level` is the share of tolerable candidates that may be refused by chance. `undecided` and
    `broken_champion` say how these cases count; `draws` and `seed` go to the bootstrap.
    Without `replay`, a project without a model is compared by its runs' metrics.
    """

    metrics: tuple[MetricRule, ...]
    slices: tuple[SliceRule, ...] = ()
    sanity: Sanity = field(default_factory=Sanity)
    level: float = 0.05
    undecided: str = "pass"
    broken_champion: str = "fail"
    draws: int = 500
    seed: int = 0
    replay: Replay | None = None
