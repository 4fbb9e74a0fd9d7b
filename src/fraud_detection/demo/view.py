"""The live view: what the worker's metrics say, and the last alerts."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fraud_detection.demo.stage import SCORES, Stage

__all__ = ["View"]

PREFIX = "branchline_stream_"
SHOWN = 6


class View:
    """Reads the scores as any consumer would, and the worker's file of metrics."""

    def __init__(self, stage: Stage) -> None:
        from confluent_kafka import Consumer
        self._metrics = stage.metrics
        self._consumer = Consumer({
            **stage.client, "group.id": "view", "auto.offset.reset": "earliest",
            "isolation.level": "read_committed", "log_level": 0})
        self._consumer.subscribe([SCORES])
        self._alerts: deque[dict[str, Any]] = deque(maxlen=SHOWN)
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

    def show(self, sent: int, left: float) -> RenderableType:
        found = self.metrics
        table = Table("sent", "scored", "events/s", "lag", "p50", "p95", "seconds left", box=None,
                      padding=(0, 3, 0, 0))
        table.add_row(f"{sent:,}", f"{self.scored:,}", f"{found.get('events_per_second', 0):,.0f}",
                      f"{found.get('lag_messages', 0):,.0f}",
                      f"{found.get('latency_p50_seconds', 0) * 1000:,.0f} ms",
                      f"{found.get('latency_p95_seconds', 0) * 1000:,.0f} ms", f"{left:,.0f}")
        alerts = [Text(f"  alert  transaction {row['transaction_id']} of card "
                       f"{row['customer_id']}: score {row['score']:.3f}") for row in self._alerts]
        return Group(table, Text(""), *alerts)


def read_metrics(file: Path) -> dict[str, float]:
    if not file.exists():
        return {}
    lines = [line.split() for line in file.read_text().splitlines() if not line.startswith("#")]
    return {name.removeprefix(PREFIX): float(value) for name, value in lines}
