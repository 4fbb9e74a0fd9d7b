"""What was scored, counted in the metrics and written to the inference log before the answer."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from starlette.requests import Request

from branchline.inference_log import Entry, InferenceLog, Origin
from branchline.serving.metrics import Metrics
from branchline.serving.service import Floats, Service
from branchline.serving.telemetry import span, trace_id

__all__ = ["Call", "Recorder"]

HEADER = "x-request-id"
PREDICTED = ("score", "is_alert", "is_outlier", "outlier_score")
ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Call:
    """One request: its id, the client's own if it sends a usable one, and when it began."""

    def __init__(self, request: Request) -> None:
        given = request.headers.get(HEADER, "")
        self.id = given if ID.fullmatch(given) else uuid4().hex
        self._began: float = request.scope["began"]

    @property
    def milliseconds(self) -> float:
        return (time.perf_counter() - self._began) * 1000

    @property
    def headers(self) -> dict[str, str]:
        return {HEADER: self.id}


class Recorder:
    """Records the rows of one model."""

    def __init__(self, service: Service, metrics: Metrics, log: InferenceLog | None) -> None:
        self._inputs, self._metrics, self._log = service.inputs, metrics, log
        filled = service.records.store_filled if service.records else 0
        self._origin = Origin("service", service.name, service.version, service.features_version,
                              filled)

    def columns(self, call: Call, rows: Floats, named: Mapping[str, Sequence[Any]]) -> None:
        """Record rows of given features by the service's outputs.

        Raises:
            Unreachable: the log cannot be written.
        """
        outcomes = named.get("outcome") or ["scored"] * len(rows)
        fired = [each.split(",") if each else [] for each in named.get("guardrails") or
                 [""] * len(rows)]
        self._count(outcomes, fired)
        some = [named.get(name) or [None] * len(rows) for name in PREDICTED]
        for name, values in zip(PREDICTED, some, strict=True):
            self._metrics.predicted(name, values)
        if self._log:
            self._write(call, [
                Entry(dict(zip(self._inputs, row, strict=True)), score, alert, outcome, rules,
                      outlier, strangeness)
                for row, outcome, rules, score, alert, outlier, strangeness in zip(
                    rows.tolist(), outcomes, fired, *some, strict=True)])

    def entries(self, call: Call, entries: Sequence[Entry]) -> None:
        """Record records.

        Raises:
            Unreachable: the log cannot be written.
        """
        self._count([each.outcome for each in entries], [each.guardrails for each in entries])
        for name in PREDICTED:
            self._metrics.predicted(name, [getattr(each, name) for each in entries])
        if self._log:
            self._write(call, entries)

    def _write(self, call: Call, entries: Sequence[Entry]) -> None:
        assert self._log
        with span("log"):
            self._log.write(entries, self._origin, call.id, call.milliseconds, trace_id())
        self._metrics.lines.inc(len(entries))

    def _count(self, outcomes: Sequence[str], fired: Sequence[Sequence[str]]) -> None:
        for outcome, count in Counter(outcomes).items():
            self._metrics.outcomes.labels(outcome).inc(count)
        for rule, count in Counter(rule for rules in fired for rule in rules).items():
            self._metrics.guardrails.labels(rule).inc(count)
