"""gate.yml: what a candidate must reach, and how far it may fall behind the champion."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from branchline.config.yaml_file import YamlMapping, read_yaml

__all__ = ["MetricRule", "Policy", "Sanity", "SliceRule", "Tolerance", "read_policy"]

DIRECTIONS = ("higher", "lower")
UNDECIDED = ("pass", "fail")
BROKEN = ("fail", "floors")
TOLERANCE = re.compile(r"[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?%?", re.ASCII)


@dataclass(frozen=True)
class Tolerance:
    """How much worse still passes: in the metric's unit, or as a share of the champion's value."""

    amount: float
    is_share: bool = False

    def of(self, champion: float) -> float:
        """In the metric's unit."""
        return self.amount * abs(champion) if self.is_share else self.amount

    def __str__(self) -> str:
        return f"{self.amount:.4g}" if not self.is_share else f"{100 * self.amount:.4g}%"


@dataclass(frozen=True)
class MetricRule:
    """`direction` tells which values are better; `floor` is the worst one that may pass."""

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
    """What the held-out rows must be like; None is not asked. Days are counted to the judgement."""

    min_rows: int = 1
    label_rate: tuple[float, float] = (0.0, 1.0)
    ingested_within_days: float | None = None
    event_within_days: float | None = None


@dataclass(frozen=True)
class Policy:
    """`level` is the share of candidates no worse than tolerated that chance may refuse.

    `undecided` and `broken_champion` say how that counts; `draws` and `seed` go to the bootstrap.
    """

    metrics: tuple[MetricRule, ...]
    slices: tuple[SliceRule, ...] = ()
    sanity: Sanity = field(default_factory=Sanity)
    level: float = 0.05
    undecided: str = "pass"
    broken_champion: str = "fail"
    draws: int = 500
    seed: int = 0


def read_policy(path: Path) -> Policy:
    """The policy in a YAML file.

    Raises:
        BadInput: a missing, unknown or unfit key; the text has its line.
    """
    entry = read_yaml(path)
    entry.check_keys("the policy", Policy, without="")
    metrics = entry.below("metrics")
    if not metrics.values:
        raise entry.wrong("metrics is empty; expected at least one metric.", "metrics")
    slices = entry.below("slices")
    return Policy(
        tuple(_metric(name, metrics.below(name)) for name in metrics.values),
        tuple(_slice(kind, slices.below(kind)) for kind in slices.values),
        _sanity(entry.below("sanity")),
        _number(entry, "level", 0.05, 1e-6, 0.5),
        _choice(entry, "undecided", UNDECIDED, "pass"),
        _choice(entry, "broken_champion", BROKEN, "fail"),
        _whole(entry, "draws", 500, 100, 100_000), _whole(entry, "seed", 0, 0))


def _metric(name: str, entry: YamlMapping) -> MetricRule:
    entry.check_keys(f"metric {name}", MetricRule)
    if not entry.values.keys() & {"floor", "tolerance"}:
        raise entry.wrong(f"metric {name} has neither floor nor tolerance; nothing would be judged")
    floor = _number(entry, "floor", 0) if "floor" in entry.values else None
    tolerance = _tolerance(entry) if "tolerance" in entry.values else None
    return MetricRule(name, _choice(entry, "direction", DIRECTIONS, "higher"), floor, tolerance)


def _slice(kind: str, entry: YamlMapping) -> SliceRule:
    entry.check_keys(f"slice {kind}", SliceRule, without="kind")
    return SliceRule(kind, _tolerance(entry), _whole(entry, "min_rows", 1, 1),
                     _whole(entry, "min_positives", 1, 1))


def _sanity(entry: YamlMapping) -> Sanity:
    entry.check_keys("sanity", Sanity)
    within = {key: _number(entry, key, 0, 0)
              for key in ("ingested_within_days", "event_within_days") if key in entry.values}
    rate = entry.values.get("label_rate", [0.0, 1.0])
    if not (isinstance(rate, list) and len(rate) == 2 and all(map(_is_number, rate))
            and 0 <= rate[0] <= rate[1] <= 1):
        raise entry.unfit("label_rate", "[LOWEST, HIGHEST] of 0 to 1")
    return Sanity(_whole(entry, "min_rows", 1, 1), (rate[0], rate[1]), **within)


def _tolerance(entry: YamlMapping) -> Tolerance:
    value = entry.values["tolerance"]
    text = str(value)
    if isinstance(value, bool) or not TOLERANCE.fullmatch(text) or not math.isfinite(
            amount := float(text.removesuffix("%"))):
        raise entry.unfit("tolerance", "a number from 0, or a share such as 5%")
    return Tolerance(amount / 100, True) if text.endswith("%") else Tolerance(amount)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(entry: YamlMapping, key: str, default: float, least: float = float("-inf"),
            most: float = float("inf")) -> float:
    value = entry.values.get(key, default)
    if not _is_number(value) or not least <= value <= most:
        raise entry.unfit(key, "a number" + _bounds(least, most))
    return float(value)


def _whole(entry: YamlMapping, key: str, default: int, least: int,
           most: float = float("inf")) -> int:
    value = entry.values.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise entry.unfit(key, "a whole number" + _bounds(least, most))
    return value


def _bounds(least: float, most: float) -> str:
    if least == float("-inf"):
        return ""
    return f" from {least:g}" + (f" to {most:g}" if most < float("inf") else "")


def _choice(entry: YamlMapping, key: str, choices: tuple[str, ...], default: str) -> str:
    value = entry.values.get(key, default)
    if value not in choices:
        raise entry.unfit(key, f"one of {', '.join(choices)}")
    return str(value)
