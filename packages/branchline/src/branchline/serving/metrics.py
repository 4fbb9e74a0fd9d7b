"""What Prometheus scrapes: requests, their time, rows, scores, the model, readiness; of all
processes."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import (CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram,
                               generate_latest, multiprocess)

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

SECONDS = (.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1.0, 2.0, 5.0, 10.0)
SHARES = tuple(each / 20 for each in range(21))


class Metrics:
    """The counters of one process.

    Args:
        shared: whether several processes write theirs to the folder that PROMETHEUS_MULTIPROC_DIR
            named as prometheus_client was imported.
    """

    def __init__(self, shared: bool) -> None:
        self._shared = shared
        self._registry = CollectorRegistry()
        self.requests = Counter("branchline_requests", "Requests answered.", ["route", "status"],
                                registry=self._registry)
        self.seconds = Histogram("branchline_request_seconds", "From a request's headers to its "
                                 "answer.", ["route"], buckets=SECONDS, registry=self._registry)
        self.rows = Counter("branchline_rows", "Rows scored.", ["route"], registry=self._registry)
        self.outputs = Histogram("branchline_output", "Numbers that were predicted, such as "
                                 "scores.", ["name"], buckets=SHARES, registry=self._registry)
        self.flags = Counter("branchline_flags", "Yes or no that was predicted, such as alerts.",
                             ["name", "value"], registry=self._registry)
        self.outcomes = Counter("branchline_outcomes", "Rows by what became of them: scored, "
                                "flagged, overridden, refused, late, degraded.", ["outcome"],
                                registry=self._registry)
        self.guardrails = Counter("branchline_guardrails", "Rows for which a guardrail fired.",
                                  ["rule"], registry=self._registry)
        self.lines = Counter("branchline_log_lines", "Lines written to the inference log.",
                             registry=self._registry)
        self.model = Gauge("branchline_model", "1 for the model that is served.",
                           ["name", "version"], multiprocess_mode="livemax",
                           registry=self._registry)
        self.ready = Gauge("branchline_ready", "Whether the service is ready, as asked last.",
                           multiprocess_mode="livemin", registry=self._registry)

    def predicted(self, name: str, values: Iterable[object]) -> None:
        """Count an output's numbers, and its truth values; nothing else, such as None."""
        for value in values:
            if isinstance(value, bool):
                self.flags.labels(name, str(value).lower()).inc()
            elif isinstance(value, float):
                self.outputs.labels(name).observe(value)

    def text(self) -> bytes:
        """All processes' values in Prometheus' text format."""
        registry = self._registry
        if self._shared:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
