"""Scores events as they come: store, features, model, guardrails; what stream and service do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from branchline.features.online import Event, HeldFeatures, OnlineFeatures
from fraud_detection.features import CALENDAR, calendar, names
from fraud_detection.scoring.guarded import Guarded

__all__ = ["Score", "Scoring"]

FEATURES = names("full")
STORED = [name for name in FEATURES if name not in CALENDAR]


class Score(NamedTuple):
    """As a row of gold.scores; an event that was refused or came too late has no score."""

    event: Event
    model_version: str
    score: float | None
    is_alert: bool | None
    outlier_score: float | None
    is_outlier: bool | None
    features: dict[str, float] | None  # all of the full set, in their order
    outcome: str = "late"
    guardrails: tuple[str, ...] = ()


class Scoring:
    """Adds events to the online store, and scores them."""

    def __init__(self, online: OnlineFeatures | HeldFeatures, guarded: Guarded) -> None:
        self._online, self._guarded = online, guarded
        self._version = guarded.model.version

    def score(self, events: Sequence[Event]) -> list[Score]:
        """The events' scores, in their order; an event that was already there is scored again."""
        rows = self._online.append(events)
        known = [at for at, row in enumerate(rows) if row is not None]
        found: dict[int, Score] = {}
        if known:
            frame = _frame([row for row in rows if row is not None],
                           np.array([events[at].time for at in known], np.int64))
            found = dict(zip(known, self._scores([events[at] for at in known], frame), strict=True))
        return [found.get(at) or Score(event, self._version, None, None, None, None, None)
                for at, event in enumerate(events)]

    def _scores(self, events: Sequence[Event], frame: pd.DataFrame) -> Iterator[Score]:
        for event, values, row in zip(events, frame.to_numpy().tolist(),
                                      self._guarded.rows(frame), strict=True):
            yield Score(event, self._version, row.score, row.is_alert, row.outlier_score,
                        row.is_outlier, dict(zip(FEATURES, values, strict=True)), row.outcome,
                        row.guardrails)


def _frame(rows: Sequence[dict[str, float]], times: NDArray[np.int64]) -> pd.DataFrame:
    """All features of the full set, by event."""
    stored = dict(zip(STORED, np.array(list(map(itemgetter(*STORED), rows))).T, strict=True))
    return pd.DataFrame({**stored, **calendar(times)}, columns=FEATURES)
