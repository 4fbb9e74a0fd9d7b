"""How far a worker is: events, rate, lag and latencies, as lines and as a file of metrics."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Latencies", "Progress", "metrics_text"]

BUCKETS = (25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)  # milliseconds


@dataclass
class Latencies:
    """Whole milliseconds, each with its count: exact percentiles in little memory."""

    counts: Counter[int] = field(default_factory=Counter)

    def add(self, milliseconds: Iterable[int]) -> None:
        self.counts.update(max(each, 0) for each in milliseconds)

    def percentile(self, share: float) -> int:
        """The least latency that this share of all does not exceed; 0 without any."""
        left = share * self.counts.total()
        for milliseconds in sorted(self.counts):
            left -= self.counts[milliseconds]
            if left <= 0:
                return milliseconds
        return 0

    def within(self, milliseconds: int) -> int:
        """How many were at most that long."""
        return sum(count for each, count in self.counts.items() if each <= milliseconds)

    def clear(self) -> None:
        self.counts.clear()


class Progress:
    """Counts what a worker did; says it in one line every few seconds, and writes the metrics.

    Args:
        seconds: between two lines.
        metrics: a file for Prometheus, replaced each time; None: no file.
    """

    def __init__(self, seconds: float = 5.0, metrics: Path | None = None) -> None:
        self.events = self.labels = self.rejected = self.missed = 0
        self.latencies = Latencies()
        self._seconds, self._metrics = seconds, metrics
        self._recent, self._before = Latencies(), 0
        self._since = self._began = time.monotonic()

    def add(self, events: int, rejected: int, labels: int, missed: int,
            latencies: Iterable[int]) -> None:
        self.events += events
        self.rejected += rejected
        self.labels += labels
        self.missed += missed
        waited = list(latencies)
        self.latencies.add(waited)
        self._recent.add(waited)

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._since >= self._seconds

    def show(self, lag: int, model: str) -> None:
        """Print the line of the time since the last one."""
        now = time.monotonic()
        rate = (self.events - self._before) / max(now - self._since, 1e-9)
        print(f"{self.events:>11,} events {rate:>8,.0f}/s  lag {lag:,}  "
              f"p50 {self._recent.percentile(.5):,} ms  p95 {self._recent.percentile(.95):,} ms  "
              f"model {model}", flush=True)
        if self._metrics:
            _replace(self._metrics, metrics_text(self, lag, rate, self._recent))
        self._recent.clear()
        self._before, self._since = self.events, now

    def show_end(self) -> None:
        """Print what it did in all."""
        seconds = time.monotonic() - self._began
        print(f"stopped: {self.events:,} events, {self.rejected:,} unusable messages, "
              f"{self.labels:,} labels ({self.missed:,} without their event) in {seconds:,.0f} s; "
              f"p50 {self.latencies.percentile(.5):,} ms, "
              f"p95 {self.latencies.percentile(.95):,} ms", flush=True)


def metrics_text(progress: Progress, lag: int, rate: float, recent: Latencies) -> str:
    """The metrics in Prometheus' text format; see its "exposition formats"."""
    values = (("events_total", "counter", progress.events),
              ("rejected_messages_total", "counter", progress.rejected),
              ("labels_total", "counter", progress.labels),
              ("labels_without_event_total", "counter", progress.missed),
              ("lag_messages", "gauge", lag), ("events_per_second", "gauge", round(rate, 3)),
              ("latency_p50_seconds", "gauge", recent.percentile(.5) / 1000),
              ("latency_p95_seconds", "gauge", recent.percentile(.95) / 1000))
    return "".join(f"# TYPE branchline_stream_{name} {kind}\nbranchline_stream_{name} {value}\n"
                   for name, kind, value in values) + _histogram(progress.latencies)


def _histogram(latencies: Latencies) -> str:
    """All latencies since the start, so that any time's share can be told from two files."""
    name, count = "branchline_stream_latency_seconds", latencies.counts.total()
    total = sum(each * times for each, times in latencies.counts.items()) / 1000
    buckets = [*((f"{each / 1000:g}", latencies.within(each)) for each in BUCKETS),
               ("+Inf", count)]
    return (f"# TYPE {name} histogram\n"
            + "".join(f'{name}_bucket{{le="{most}"}} {found}\n' for most, found in buckets)
            + f"{name}_sum {total:g}\n{name}_count {count}\n")


def _replace(file: Path, text: str) -> None:
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)
