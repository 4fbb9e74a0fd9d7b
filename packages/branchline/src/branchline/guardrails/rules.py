"""The rules as plain data: in a file of the project, and in the metadata of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from branchline.errors import BadInput
from branchline.records import Format

__all__ = ["ACTIONS", "FORMAT", "KINDS", "Guardrails", "Rule"]

FORMAT = Format("guardrails", 1)
ACTIONS = ("flag", "override", "refuse")
ABOUT_INPUTS = ("outside_range", "missing", "unknown_category")
KINDS = (*ABOUT_INPUTS, "outlier", "uncertain", "alert_rate")


@dataclass(frozen=True)
class Rule:
    """A rule: when it fires, and what happens to the row then.

    Args:
        inputs: those that it looks at; empty: all of the model's.
        known: the categories that are known (unknown_category).
        between: the lowest and the highest score that count as uncertain.
        above, over: the share of alerts in that many rows (alert_rate).
        score: what the score becomes (override).
        line: where the file has it.
    """

    name: str
    when: str
    action: str = ACTIONS[0]
    inputs: tuple[str, ...] = ()
    known: tuple[float, ...] = ()
    between: tuple[float, float] = (0.0, 0.0)
    above: float = 1.0
    over: int = 1000
    score: float | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Guardrails:
    """Rules in the order of their file, and the lowest and highest training value of each input."""

    rules: tuple[Rule, ...] = ()
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    where: str = field(default="guardrails", compare=False)

    def check(self, inputs: Sequence[str]) -> None:
        """Compare the rules with the model's signature.

        Raises:
            BadInput: a rule looks at something that the model does not take.
        """
        for rule in self.rules:
            for name in rule.inputs:
                if name not in inputs:
                    raise BadInput(f"{self.where}, line {rule.line}: rule {rule.name}: inputs has "
                                   f"{name!r}, which the model does not take; expected some of "
                                   f"{', '.join(inputs)}.")

    def to_json(self) -> dict[str, Any]:
        rules = [{key: value for key, value in asdict(rule).items() if key != "line"}
                 for rule in self.rules]
        return FORMAT.written({"rules": rules,
                               "ranges": {name: list(each) for name, each in self.ranges.items()}})

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: str) -> Guardrails:
        """What `to_json` made.

        Raises:
            BadInput: newer code made it.
        """
        found = FORMAT.read(content, where)
        rules = tuple(_rule(each) for each in found["rules"])
        return cls(rules, {name: (low, high) for name, (low, high) in found["ranges"].items()},
                   where)


def _rule(content: Mapping[str, Any]) -> Rule:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value
                              for key, value in content.items()}
    return Rule(**values)
