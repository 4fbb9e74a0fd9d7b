"""The measures of windows: each value with what can be said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from math import sqrt

from branchline.monitoring.drift import Drift, Policy, drift, verdicts
from branchline.monitoring.levels import level_verdict
from branchline.monitoring.measures import Measure
from branchline.monitoring.performance import Estimate, broken_promise, estimated, realised
from branchline.monitoring.reference import Column
from branchline.monitoring.summary import Summary
from branchline.monitoring.windows import Key, Rows

__all__ = ["column_measures", "row_measures", "with_levels"]

SERVICE, LABELS = "service", "labels"
LEVELS = ("rows", "alert_share", "outlier_share", "late_share", "degraded_share",
          "labelled_share", "latency_p95_ms")


def column_measures(key: Key, seconds: int, found: Mapping[str, Summary],
                    reference: Mapping[str, Column], policy: Policy) -> Iterator[Measure]:
    """How far each column of a window is from training; `reference` is the model version's."""
    drifts = {name: drift(reference[name], each) for name, each in found.items()}
    said = verdicts(drifts, policy)
    for name, each in found.items():
        value, missing = said[name]
        yield from _of_column(_blank(key, seconds, name), each, drifts[name], value, missing)


def _of_column(blank: Measure, found: Summary, moved: Drift, value: str,
               missing: str) -> Iterator[Measure]:
    yield replace(blank, name="psi", value=moved.psi, rows=found.known, verdict=value)
    yield replace(blank, name="js_distance", value=moved.js_distance, rows=found.known)
    yield replace(blank, name="missing_share", value=found.missing_share, rows=found.rows,
                  verdict=missing)
    yield replace(blank, name="mean", value=found.mean, rows=found.known)


def row_measures(key: Key, seconds: int, found: Rows, labels_known: bool) -> Iterator[Measure]:
    """Volume, shares, latencies, and the performance of a window.

    `labels_known` is whether all of the window's labels have come: before, none are counted.
    """
    service = replace(_blank(key, seconds, SERVICE), rows=found.rows)
    yield replace(service, name="rows", value=float(found.rows))
    shares = {"alert_share": found.alerts, "outlier_share": found.outliers,
              "refused_share": found.refused, "late_share": found.late,
              "degraded_share": found.degraded, "flagged_share": found.flagged}
    for name, count in shares.items():
        yield replace(service, name=name, value=count / found.rows)
    for name, value in zip(("p50", "p95", "p99"), found.latencies, strict=True):
        if value is not None:
            yield replace(service, name=f"latency_{name}_ms", value=value)
    blank = _blank(key, seconds, LABELS)
    promised, came = estimated(found.outcome), realised(found.outcome)
    for name, each in promised.items():
        yield _with(replace(blank, name=f"estimated_{name}"), each)
    if labels_known:
        yield replace(blank, name="labelled_share", value=found.labelled / found.rows,
                      rows=found.rows)
        for name, each in came.items():
            yield _with(replace(blank, name=f"realised_{name}",
                                verdict=broken_promise(promised[name], each)), each)


def _with(measure: Measure, found: Estimate) -> Measure:
    return replace(measure, value=found.value, low=found.low, high=found.high, rows=found.rows)


def with_levels(measures: Sequence[Measure], before: Sequence[Measure]) -> list[Measure]:
    """The measures of windows in their order, levels judged by the windows before each.

    A model version is compared with itself: a new one has no windows to be compared with yet.
    """
    history: dict[tuple[str, ...], list[float]] = {}
    for each in before:
        _remember(history, each)
    judged = []
    for each in measures:
        if each.name in LEVELS and each.value is not None:
            known = history.get(_series(each), [])
            judged.append(replace(each, verdict=level_verdict(known, each.value, _noise(each))))
            _remember(history, each)
        else:
            judged.append(each)
    return judged


def _series(each: Measure) -> tuple[str, ...]:
    return each.model_version, each.slice, each.name


def _remember(history: dict[tuple[str, ...], list[float]], each: Measure) -> None:
    if each.name in LEVELS and each.value is not None:
        history.setdefault(_series(each), []).append(each.value)


def _noise(each: Measure) -> float:
    """The standard deviation by chance: of a count, or of a share (of at least one row)."""
    if each.name == "rows":
        return sqrt(each.rows)
    if each.name.endswith("_share"):
        share = max(each.value or 0.0, 1 / each.rows)
        return sqrt(share / each.rows)
    return 0.0


def _blank(key: Key, seconds: int, subject: str) -> Measure:
    begin, end = (datetime.fromtimestamp(each, timezone.utc)
                  for each in (key.start, key.start + seconds))
    return Measure(begin, end, key.model_version, key.slice, subject, "", None, None, None, 0)
