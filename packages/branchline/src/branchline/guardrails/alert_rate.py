"""The share of alerts among the latest rows of a process."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from branchline.guardrails.rules import Guardrails

__all__ = ["AlertRate"]


class AlertRate:
    """Counts alerts over each rule's latest rows; threads may share it."""

    def __init__(self, guardrails: Guardrails) -> None:
        rules = [rule for rule in guardrails.rules if rule.when == "alert_rate"]
        self._windows = [_Window(rule.over, rule.above) for rule in rules]
        self._lock = threading.Lock()

    def add(self, alerts: Sequence[bool]) -> list[list[bool]]:
        """Whether the rate is above each rule's bound, after each row."""
        with self._lock:
            return [[window.add(bool(alert)) for window in self._windows] for alert in alerts]


class _Window:
    def __init__(self, over: int, above: float) -> None:
        self._latest: deque[bool] = deque(maxlen=over)
        self._above, self._count = above, 0

    def add(self, alert: bool) -> bool:
        """A window that is not full yet says nothing."""
        if len(self._latest) == self._latest.maxlen:
            self._count -= self._latest[0]
        self._latest.append(alert)
        self._count += alert
        full = len(self._latest) == self._latest.maxlen
        return full and self._count > self._above * len(self._latest)
