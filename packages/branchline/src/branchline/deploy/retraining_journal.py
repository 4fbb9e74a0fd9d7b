"""The record of each decision about retraining, and of what became of a training."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from branchline.monitoring.retraining import Decision
from branchline.records import Format
from branchline.wheels.destinations import Destination
from branchline.wheels.numbered import Numbered

__all__ = ["Last", "RetrainingJournal"]

FORMAT = Format("retraining", 1)
OUTCOME = "outcome"
PASSED = ("passed", "refused")  # by the gate; anything else is no verdict


@dataclass(frozen=True)
class Last:
    """The last training: when it was decided, and its outcome, None while it has none."""

    at: datetime
    outcome: str | None

    @property
    def failed(self) -> bool:
        return self.outcome is not None and self.outcome not in PASSED


class RetrainingJournal:
    """Decisions by number in `NAME/retraining/PROJECT/`; `NAME` is the distribution's."""

    def __init__(self, name: str, project: str, destination: Destination) -> None:
        self._records = Numbered(destination, f"{name}/retraining/{project}", FORMAT)
        self._newest = self._records.newest

    def last_training(self) -> Last | None:
        """The last training that was started; None before the first one."""
        newest = self._records.read(self._newest) if self._newest else None
        number = newest["training"] if newest else 0
        content = self._records.read(number) if number else None
        if content is None:
            return None
        outcome = self._records.read(number, OUTCOME)
        return Last(datetime.fromisoformat(content["at"]),
                    str(outcome["outcome"]) if outcome else None)

    def record(self, decision: Decision, action: str, at: datetime, by: str) -> int:
        """Write the decision; its number.

        Raises:
            RunFailed: another process decided at the same time.
        """
        number = self._newest + 1
        before = self._records.read(self._newest) if self._newest else None
        training = number if decision.train else before["training"] if before else 0
        self._records.add(number, {
            "decision": "yes" if decision.train else "no", "reasons": list(decision.reasons),
            "against": list(decision.against), "action": action, "training": training,
            "at": at.isoformat(timespec="seconds"), "by": by})
        self._newest = number
        return number

    def finish(self, number: int, outcome: str, about: dict[str, Any]) -> None:
        """Attach what became of a training: passed, refused, or failed with the reason."""
        self._records.add(number, {"outcome": outcome, **about}, OUTCOME)
