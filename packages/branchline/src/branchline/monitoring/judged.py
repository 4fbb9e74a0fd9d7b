"""The measures of windows: each value with its test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from math import sqrt

from branchline.monitoring.drift import Compared, Policy
from branchline.monitoring.estimates import Estimate
from branchline.monitoring.family import Unjudged
from branchline.monitoring.levels import level_test
from branchline.monitoring.measures import Measure
from branchline.monitoring.performance import estimated, realised, shortfall
from branchline.monitoring.window_rows import Rows
from branchline.monitoring.windows import Key

__all__ = ["column_measures", "row_measures", "with_levels"]

SERVICE, LABELS = "service", "labels"
LEVELS = ("rows", "alert_share", "outlier_share", "late_share", "degraded_share",
          "labelled_share", "latency_p95_ms")


def column_measures(key: Key, seconds: int, columns: Mapping[str, Compared],
                    policy: Policy) -> Iterator[Unjudged]:
    """How far each column of a window is from training.

    Where chance alone could bring a quarter of `least_psi`, rows are too few for a word on values.
    """
    for name, column in columns.items():
        each, moved = column.found, column.drift
        known = replace(_blank(key, seconds, name), rows=each.known)
        yield Unjudged(replace(known, name="psi", value=moved.psi), moved.p_value,
                       (moved.psi or 0.0) - moved.noise >= policy.least_psi,
                       moved.noise > policy.least_psi / 4)
        for measure, value in (("js_distance", moved.js_distance), ("mean", each.mean),
                               ("wasserstein_distance", moved.wasserstein)):
            yield Unjudged(replace(known, name=measure, value=value))
        missing = replace(known, name="missing_share", value=each.missing_share, rows=each.rows)
        yield Unjudged(missing, moved.missing_p_value,
                       abs(moved.missing_change) >= policy.least_missing)


def row_measures(key: Key, seconds: int, found: Rows, policy: Policy,
                 labels_known: bool) -> Iterator[Unjudged]:
    """Volume, shares, latencies, and the performance of a window.

    `labels_known` is whether all of the window's labels have come: before, none are counted.
    """
    service = replace(_blank(key, seconds, SERVICE), rows=found.rows)
    yield Unjudged(replace(service, name="rows", value=float(found.rows)))
    shares = {"alert_share": found.alerts, "outlier_share": found.outliers,
              "refused_share": found.refused, "late_share": found.late,
              "degraded_share": found.degraded, "flagged_share": found.flagged}
    for name, count in shares.items():
        yield Unjudged(replace(service, name=name, value=count / found.rows))
    for name, value in zip(("p50", "p95", "p99"), found.latencies, strict=True):
        if value is not None:
            yield Unjudged(replace(service, name=f"latency_{name}_ms", value=value))
    blank = _blank(key, seconds, LABELS)
    promised = estimated(found.outcome)
    for name, each in promised.items():
        yield Unjudged(_with(replace(blank, name=f"estimated_{name}"), each))
    if labels_known:
        yield Unjudged(replace(blank, name="labelled_share", value=found.labelled / found.rows,
                               rows=found.rows))
        yield from _realised(blank, promised, realised(found.outcome), policy)


def _realised(blank: Measure, promised: Mapping[str, Estimate], came: Mapping[str, Estimate],
              policy: Policy) -> Iterator[Unjudged]:
    for name, each in came.items():
        measure = _with(replace(blank, name=f"realised_{name}"), each)
        short = shortfall(name, promised[name], each)
        yield (Unjudged(measure, is_few=True) if short is None else
               Unjudged(measure, short[1], short[0] >= policy.least_shortfall, is_late=True))


def _with(measure: Measure, found: Estimate) -> Measure:
    return replace(measure, value=found.value, low=found.low, high=found.high, rows=found.rows)


def with_levels(tested: Iterable[Unjudged], before: Sequence[Measure]) -> Iterator[Unjudged]:
    """The measures of windows in their order, levels tested against the windows before each.

    A model version is compared with itself: a new one has no windows to be compared with yet.
    """
    history: dict[tuple[str, ...], list[float]] = {}
    for each in before:
        _remember(history, each)
    for one in tested:
        each = one.measure
        if each.name not in LEVELS or each.value is None:
            yield one
            continue
        found = level_test(history.get(_series(each), []), each.value, _noise(each))
        yield (Unjudged(each, is_few=True) if found is None else
               Unjudged(each, *found, is_late=each.subject == LABELS))
        _remember(history, each)


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
