"""The rules on rows of inputs and scores: one pure function for batch, stream and service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from branchline.errors import BadInput
from branchline.guardrails.alert_rate import AlertRate
from branchline.guardrails.rules import Guardrails, Rule

__all__ = ["Judge", "Judged"]

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
# Takes rows of inputs, scores, and which rows are outliers.
Fires: TypeAlias = Callable[[Floats, Floats, Mask], Mask]


@dataclass(frozen=True)
class Judged:
    """What became of the rows, one element each.

    Args:
        scores: after overrides; NaN where refused.
        alerts: whether the score reaches the threshold.
        outcomes: scored, flagged, overridden or refused.
        fired: the names of the rules that fired, in their order.
    """

    scores: Floats
    alerts: Mask
    outcomes: list[str]
    fired: list[tuple[str, ...]]


class Judge:
    """The rules for rows whose columns are the model's inputs, in this order.

    Raises:
        BadInput: a rule does not fit the inputs, or needs what the model does not have.
    """

    def __init__(self, guardrails: Guardrails, inputs: Sequence[str]) -> None:
        guardrails.check(inputs)
        self.guardrails, self.names = guardrails, [rule.name for rule in guardrails.rules]
        self._fires = [_fires(rule, guardrails, list(inputs)) for rule in guardrails.rules]
        self._rates = [at for at, rule in enumerate(guardrails.rules) if rule.when == "alert_rate"]

    def judge(self, rows: Floats, scores: Floats, threshold: float, outliers: Mask | None = None,
              rate: AlertRate | None = None) -> Judged:
        """Judge (rows, inputs) and their scores; without `rate`, no rule about it fires.

        A row is refused if one rule that fires refuses it; else the first override counts.
        """
        if not self._fires:
            return Judged(scores, scores >= threshold, ["scored"] * len(rows), [()] * len(rows))
        strange = np.zeros(len(rows), np.bool_) if outliers is None else outliers
        fired = np.column_stack([fires(rows, scores, strange) for fires in self._fires])
        found = scores.copy()
        outcomes = np.where(fired.any(axis=1), "flagged", "scored").astype(object)
        for action in ("override", "refuse"):
            for at in reversed(range(len(self._fires))):
                rule = self.guardrails.rules[at]
                if rule.action == action:
                    found[fired[:, at]] = np.nan if rule.score is None else rule.score
                    outcomes[fired[:, at]] = OUTCOME[action]
        alerts = found >= threshold
        if rate is not None and self._rates:
            fired[:, self._rates] = rate.add(alerts.tolist())
            outcomes[fired.any(axis=1) & (outcomes == "scored")] = "flagged"
        return Judged(found, alerts, outcomes.tolist(),
                      [tuple(self.names[at] for at in np.flatnonzero(row)) for row in fired])


OUTCOME = {"override": "overridden", "refuse": "refused"}


def _fires(rule: Rule, guardrails: Guardrails, inputs: list[str]) -> Fires:
    at = [inputs.index(name) for name in rule.inputs or inputs]
    if rule.when == "outside_range":
        low, high = _ranges(rule, guardrails, [inputs[each] for each in at])
        return lambda rows, scores, strange: _any((rows[:, at] < low) | (rows[:, at] > high))
    if rule.when == "missing":
        return lambda rows, scores, strange: _any(np.isnan(rows[:, at]))
    if rule.when == "unknown_category":
        known = np.array(rule.known)
        return lambda rows, scores, strange: _any(~np.isin(rows[:, at], known))
    if rule.when == "outlier":
        return lambda rows, scores, strange: strange
    if rule.when == "uncertain":
        lowest, highest = rule.between
        return lambda rows, scores, strange: (scores >= lowest) & (scores <= highest)
    return lambda rows, scores, strange: np.zeros(len(rows), np.bool_)


def _any(values: Mask) -> Mask:
    """Which rows have a true value."""
    found: Mask = np.logical_or.reduce(values, axis=1)
    return found


def _ranges(rule: Rule, guardrails: Guardrails, names: Sequence[str]) -> tuple[Floats, Floats]:
    for name in names:
        if name not in guardrails.ranges:
            raise BadInput(f"{guardrails.where}: rule {rule.name}: the model has no training range "
                           f"of {name}; train it again, or leave the rule out.")
    found = np.array([guardrails.ranges[name] for name in names])
    return found[:, 0], found[:, 1]
