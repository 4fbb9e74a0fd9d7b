"""The live view: a line of what the worker's metrics say, below the alerts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fraud_detection.demo.stage import SCORES, Stage

__all__ = ["View"]

PREFIX = "branchline_stream_"
ALERTS = 2  # shown in one step


class View:
    """Reads the scores as any consumer would, and the worker's file of metrics."""

    def __init__(self, stage: Stage) -> None:
        from confluent_kafka import Consumer
        self._metrics = stage.metrics
        self._consumer = Consumer({
            **stage.client, "group.id": "view", "auto.offset.reset": "earliest",
            "isolation.level": "read_committed", "log_level": 0})
        self._consumer.subscribe([SCORES])
        self._alerts: list[dict[str, Any]] = []
        self.scored = 0

    def close(self) -> None:
        self._consumer.close()

    def take(self, seconds: float) -> None:
        """Read the scores that came, for at most these seconds."""
        for message in self._consumer.consume(5000, seconds):
            if not message.error():
                row = json.loads(message.value() or b"")
                self.scored += 1
                if row["is_alert"]:
                    self._alerts.append(row)

    @property
    def metrics(self) -> dict[str, float]:
        """The worker's metrics by their short names; empty before it has written them."""
        return read_metrics(self._metrics)

    def show(self, sent: int, left: float) -> None:
        """Print the newest alerts; on a terminal, the line below them is written again."""
        found = self.metrics
        for row in self._alerts[-ALERTS:]:
            _print(f"alert  transaction {row['transaction_id']} of card {row['customer_id']}: "
                   f"score {row['score']:.3f}\n")
        self._alerts.clear()
        p50, p95 = (1000 * found.get(f"latency_{each}_seconds", 0) for each in ("p50", "p95"))
        line = (f"sent {sent:,}  scored {self.scored:,}  {found.get('events_per_second', 0):,.0f}/s"
                f"  lag {found.get('lag_messages', 0):,.0f}  p50 {p50:,.0f} ms  p95 {p95:,.0f} ms"
                f"  {left:,.0f} s left")
        _print(line if sys.stdout.isatty() else f"{line}\n")


def _print(text: str) -> None:
    """Over the line that is there, if the output is a terminal."""
    print(f"\r\x1b[K{text}" if sys.stdout.isatty() else text, end="", flush=True)


def read_metrics(file: Path) -> dict[str, float]:
    if not file.exists():
        return {}
    lines = [line.split() for line in file.read_text().splitlines() if not line.startswith("#")]
    return {name.removeprefix(PREFIX): float(value) for name, value in lines}
