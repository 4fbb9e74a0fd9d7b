"""Compares a stream's log with batch, value by value, and tells why values differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from branchline.features.arrow import EventColumns
from branchline.features.kernel import Definition, Floats, Ints
from branchline.parity.arrivals import Arrivals
from branchline.parity.logged import Logged
from branchline.parity.result import ColumnParity, Example, Parity
from branchline.parity.views import EntityViews

__all__ = ["Recomputed", "compare"]

SCORE = "score"
MODEL, FEATURES, ABSENT = "version of the model", "version of the features", "event not in silver"
EXAMPLES = 3
# Takes a model's version and rows of features; None where there is no such model any more.
Rescore: TypeAlias = Callable[[str, Floats], Floats | None]


@dataclass(frozen=True)
class Recomputed:
    """Batch's side.

    Args:
        events: all events that windows reach, with the entities' columns and `columns`.
        label: the one of `columns.values` that becomes known later.
        features: the logged events' features, with the key; float64.
        listed: the definitions, of all entities.
        version: as the log has it, of these definitions.
        score: scores rows of `features`' columns, without the key.
    """

    events: pa.Table
    columns: EventColumns
    label: str
    features: pa.Table
    listed: Sequence[Definition]
    version: str
    score: Rescore
    lateness_days: int = 7

    @property
    def names(self) -> list[str]:
        return [name for name in self.features.column_names if name != self.columns.key]


def compare(log: Logged, batch: Recomputed) -> Parity:
    """Compare every logged feature and score; a difference is explained only by proof.

    The proof is that the kernel gives the logged value, to the bit, from the events and labels
    that had arrived when it was logged. Rows of other definitions, or of events that batch does
    not have, are skipped and counted.
    """
    skipped: Counter[str] = Counter()
    size = len(batch.names) + 1
    keys = batch.features[batch.columns.key]
    found = pc.fill_null(pc.index_in(pa.array([row["transaction_id"] for row in log.events],
                                              pa.string()), keys), -1).to_numpy()
    rows, at = [], []
    for row, place in zip(log.events, found.tolist(), strict=True):
        why = ABSENT if place < 0 else FEATURES if row["features_version"] != batch.version else ""
        if why:
            skipped[why] += size
        else:
            rows.append(row)
            at.append(place)
    return _Comparison(log, batch, rows, np.array(at, np.int64), skipped).result()


class _Comparison:
    """The rows that can be compared, `at` these rows of batch's features."""

    def __init__(self, log: Logged, batch: Recomputed, rows: list[dict[str, Any]], at: Ints,
                 skipped: Counter[str]) -> None:
        self.batch, self.rows, self.skipped = batch, rows, skipped
        self.names, self.keys = batch.names, [row["transaction_id"] for row in rows]
        self.computed = np.column_stack([batch.features[name].to_numpy()[at]
                                         for name in self.names])
        self.logged = np.array([_floats(row["features"], self.names) for row in rows]
                               ).reshape(len(rows), len(self.names))
        self.known = self.computed.copy()  # batch's, from what was known then
        self.late = np.array([row["features"] is None for row in rows], np.bool_)
        self.reasons: dict[tuple[int, str], str] = {}  # by row and column
        key, time = batch.columns.key, batch.columns.time
        times = batch.events[time].cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
        arrivals = Arrivals.of(log, batch.events[key], times)
        own = pc.index_in(pa.array(self.keys, pa.string()), batch.events[key])
        self.own = own.to_numpy(zero_copy_only=False).astype(np.int64)
        self.views = [
            EntityViews([each for each in batch.listed if each.entity == entity], batch.events,
                        times, batch.columns, batch.label, arrivals, batch.lateness_days)
            for entity in dict.fromkeys(each.entity for each in batch.listed)]

    def result(self) -> Parity:
        self._check_late()
        for views in self.views:
            self._explain(views)
        columns = [self._column(name, self.logged[:, at], self.computed[:, at], ~self.late)
                   for at, name in enumerate(self.names)]
        columns.append(self._scores())
        counts = Counter(self.reasons.values())
        return Parity(len(self.rows), int(self.late.sum()), tuple(columns), dict(counts),
                      dict(self.skipped))

    def _check_late(self) -> None:
        """A row without features counts as late only if its event was older than allowed."""
        for row in np.flatnonzero(self.late):
            self.late[row] = any(views.is_refused(self.own[row]) for views in self.views)

    def _explain(self, views: EntityViews) -> None:
        made = {each.name for each in views.listed}
        at = [number for number, name in enumerate(self.names) if name in made]
        names = [self.names[number] for number in at]
        differs = ~_same(self.logged[:, at], self.computed[:, at]).all(axis=1) & ~self.late
        for row in np.flatnonzero(differs):
            about = self.rows[row]
            found = views.explain(int(self.own[row]), about["batch"], about["store_filled"],
                                  self.logged[row, at], names)
            if found is not None:
                reason, self.known[row, at] = found
                self.reasons |= {(int(row), name): reason for number, name in zip(
                    at, names, strict=True)
                    if not _same(self.logged[row, number], self.computed[row, number])}

    def _scores(self) -> ColumnParity:
        logged = np.array([row[SCORE] for row in self.rows], np.float64)  # None becomes NaN
        versions = np.array([row["model_version"] for row in self.rows], np.str_)
        computed, compared = np.full(len(self.rows), np.nan), ~self.late
        why = {row: reason for (row, _), reason in self.reasons.items()}
        for version in np.unique(versions):
            these = np.flatnonzero((versions == version) & ~self.late)
            scores = self.batch.score(str(version), self.computed[these])
            known = self.batch.score(str(version), self.known[these])
            if scores is None or known is None:
                self.skipped[MODEL] += len(these)
                compared[these] = False
                continue
            computed[these] = scores
            proven = ~_same(logged[these], scores) & _same(logged[these], known)
            self.reasons |= {(row, SCORE): why[row] for row in these[proven].tolist()}
        return self._column(SCORE, logged, computed, compared)

    def _column(self, name: str, logged: Floats, computed: Floats,
                compared: NDArray[np.bool_]) -> ColumnParity:
        differs = np.flatnonzero(~_same(logged, computed) & compared)
        why = [self.reasons.get((row, name)) for row in differs.tolist()]
        order = sorted(range(len(differs)), key=lambda one: why[one] is not None)[:EXAMPLES]
        gaps = np.abs(logged[differs] - computed[differs])
        largest = float(np.nanmax(gaps)) if np.isfinite(gaps).any() else 0.0
        explained = sum(each is not None for each in why)
        return ColumnParity(name, int(compared.sum()), explained, len(differs) - explained, largest,
                            tuple(Example(self.keys[differs[one]], _shown(logged[differs[one]]),
                                          _shown(computed[differs[one]]), why[one])
                                  for one in order))


def _same(one: Any, other: Any) -> Any:
    return (one == other) | (np.isnan(one) & np.isnan(other))


def _floats(features: dict[str, float] | None, names: Sequence[str]) -> list[float]:
    return [np.nan] * len(names) if features is None else [features.get(name, np.nan)
                                                           for name in names]


def _shown(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
