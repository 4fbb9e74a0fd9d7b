"""A verdict on a candidate and its reasons, as JSON and as Markdown for a CI page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

from branchline.records import Format
from branchline.text import code, markdown, one_line

__all__ = ["FORMAT", "Interval", "Outcome", "Reason", "Verdict", "number", "show"]

FORMAT = Format("verdict", 1)

Outcome = Literal["pass", "fail", "undecided", "not judged"]

MARKS: dict[Outcome, str] = {"pass": "✅", "fail": "❌", "undecided": "➖", "not judged": "·"}


@dataclass(frozen=True)
class Interval:
    """Candidate minus champion, all in the metric's own unit.

    Beyond `worst` it is worse than tolerated: below it where `higher_is_better`, else above.
    `floor` is the difference at which the candidate would just reach its floor, None without a
    floor.
    """

    difference: float
    low: float
    high: float
    worst: float
    higher_is_better: bool = True
    floor: float | None = None


@dataclass(frozen=True)
class Reason:
    """What was required of the candidate, what was found, and the outcome."""

    name: str
    outcome: Outcome
    found: str
    wanted: str
    interval: Interval | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether the candidate passed; `champion` is None if there was none to compare with."""

    passed: bool
    candidate: str
    champion: str | None
    reasons: tuple[Reason, ...]

    @property
    def against(self) -> tuple[Reason, ...]:
        """The reasons that speak against the candidate: failed first, then undecided."""
        return tuple(reason for outcome in ("fail", "undecided") for reason in self.reasons
                     if reason.outcome == outcome)

    @property
    def line(self) -> str:
        """The verdict on one line, with what failed, or else what is undecided."""
        worst = [reason for reason in self.against if reason.outcome == self.against[0].outcome]
        said = "; ".join(f"{reason.name} {reason.found}, expected {reason.wanted}"
                         for reason in worst)
        return ("passed" if self.passed else "refused") + (
            f" ({worst[0].outcome}: {said})" if said else "")

    def to_json(self) -> str:
        return json.dumps(FORMAT.written(asdict(self)), indent=2, allow_nan=False) + "\n"

    def to_markdown(self) -> str:
        """A heading, the two models and a table with one row per reason."""
        rows = [f"| {MARKS[each.outcome]} {each.outcome} | {markdown(each.name)} | "
                f"{markdown(each.found)} | {markdown(each.wanted)} |" for each in self.reasons]
        return "\n".join([
            f"## Gate: {'passed ✅' if self.passed else 'refused ❌'}", "",
            f"Candidate {code(self.candidate)}, "
            + (f"champion {code(self.champion)}." if self.champion else "no champion yet."), "",
            "| | what | found | wanted |", "|---|---|---|---|", *rows, ""])


def show(verdict: Verdict) -> None:
    """Print the verdict, one line per reason."""
    table = Table("gate", "found", "wanted", "", box=None, padding=(0, 3, 0, 0))
    for each in verdict.reasons:
        table.add_row(*map(one_line, (each.name, each.found, each.wanted, each.outcome)))
    print()
    Console(width=140, highlight=False, markup=False, color_system=None).print(table)
    print(f"\ncandidate  {one_line(verdict.candidate)}\n"
          f"champion   {one_line(verdict.champion or 'none yet')}\n"
          f"verdict    {one_line(verdict.line)}")


def number(value: float) -> str:
    """A value or a difference as a person reads it: `0.4979`, `9,080`; there is no `-0`."""
    digits = 0 if abs(value) >= 100 else 4
    return f"{round(value, digits) + 0.0:,.{digits}f}"
