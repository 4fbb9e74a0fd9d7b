"""gate.yml: reads a policy, and checks every key of it."""

from __future__ import annotations

import math
import re
from pathlib import Path

from branchline.config.gate_policy import (MetricRule, Policy, Replay, Sanity,
                                           SliceRule, Tolerance)
from branchline.config.yaml_file import YamlMapping, read_yaml
from branchline.config.yaml_values import is_number

__all__ = ["read_policy"]

DIRECTIONS = ("higher", "lower")
UNDECIDED = ("pass", "fail")
BROKEN = ("fail", "floors")
TOLERANCE = re.compile(r"[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?%?", re.ASCII)


def read_policy(path: Path) -> Policy:
    """The policy in a YAML file.

    Raises:
        BadInput: a missing, unknown or invalid key; the text has its line.
    """
    mapping = read_yaml(path)
    mapping.check_keys("the policy", Policy, without="")
    metrics = mapping.below("metrics")
    if not metrics.values:
        raise mapping.wrong("metrics is empty; expected at least one metric.", "metrics")
    slices = mapping.below("slices")
    return Policy(
        tuple(_metric(name, metrics.below(name)) for name in metrics.values),
        tuple(_slice(kind, slices.below(kind)) for kind in slices.values),
        _sanity(mapping.below("sanity")),
        _number(mapping, "level", 0.05, 1e-6, 0.5),
        _choice(mapping, "undecided", UNDECIDED, "pass"),
        _choice(mapping, "broken_champion", BROKEN, "fail"),
        _whole(mapping, "draws", 500, 100, 100_000), _whole(mapping, "seed", 0, 0),
        _replay(mapping.below("replay")) if "replay" in mapping.values else None)


def _metric(name: str, mapping: YamlMapping) -> MetricRule:
    mapping.check_keys(f"metric {name}", MetricRule)
    if not mapping.values.keys() & {"floor", "tolerance"}:
        raise mapping.wrong(f"metric {name} has neither floor nor tolerance; expected one of them, "
                            "or both.")
    floor = _number(mapping, "floor", 0) if "floor" in mapping.values else None
    tolerance = _tolerance(mapping) if "tolerance" in mapping.values else None
    return MetricRule(name, _choice(mapping, "direction", DIRECTIONS, "higher"), floor, tolerance)


def _slice(kind: str, mapping: YamlMapping) -> SliceRule:
    mapping.check_keys(f"slice {kind}", SliceRule, without="kind")
    return SliceRule(kind, _tolerance(mapping), _whole(mapping, "min_rows", 1, 1),
                     _whole(mapping, "min_positives", 1, 1))


def _sanity(mapping: YamlMapping) -> Sanity:
    mapping.check_keys("sanity", Sanity)
    within = {key: _number(mapping, key, 0, 0)
              for key in ("ingested_within_days", "event_within_days") if key in mapping.values}
    rate = mapping.values.get("label_rate", [0.0, 1.0])
    if not (isinstance(rate, list) and len(rate) == 2 and all(map(is_number, rate))
            and 0 <= rate[0] <= rate[1] <= 1):
        raise mapping.unfit("label_rate", "[LOWEST, HIGHEST] of 0 to 1")
    return Sanity(_whole(mapping, "min_rows", 1, 1), (rate[0], rate[1]), **within)


def _replay(mapping: YamlMapping) -> Replay:
    mapping.check_keys("replay", Replay, without="")
    return Replay(mapping.text("run"), mapping.text("judge"))


def _tolerance(mapping: YamlMapping) -> Tolerance:
    value = mapping.values["tolerance"]
    text = str(value)
    if isinstance(value, bool) or not TOLERANCE.fullmatch(text) or not math.isfinite(
            amount := float(text.removesuffix("%"))):
        raise mapping.unfit("tolerance", "a number of at least 0, or a share such as 5%")
    return Tolerance(amount / 100, True) if text.endswith("%") else Tolerance(amount)


def _number(mapping: YamlMapping, key: str, default: float, least: float = float("-inf"),
            most: float = float("inf")) -> float:
    value = mapping.values.get(key, default)
    if not is_number(value) or not least <= value <= most:
        raise mapping.unfit(key, "a number" + _bounds(least, most))
    return float(value)


def _whole(mapping: YamlMapping, key: str, default: int, least: int,
           most: float = float("inf")) -> int:
    value = mapping.values.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise mapping.unfit(key, "a whole number" + _bounds(least, most))
    return value


def _bounds(least: float, most: float) -> str:
    if least == float("-inf"):
        return ""
    return f" from {least:g}" + (f" to {most:g}" if most < float("inf") else "")


def _choice(mapping: YamlMapping, key: str, choices: tuple[str, ...], default: str) -> str:
    value = mapping.values.get(key, default)
    if value not in choices:
        raise mapping.unfit(key, f"one of {', '.join(choices)}")
    return str(value)
