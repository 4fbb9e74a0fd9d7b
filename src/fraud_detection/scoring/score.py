"""Events to scores: features from the online store, the model's scores, alerts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from branchline.features.online import Event, HeldFeatures, OnlineFeatures
from fraud_detection.features import CALENDAR, calendar, names
from fraud_detection.scoring.logged import Floats, Scored

__all__ = ["Model", "Score", "Scoring"]

FEATURES = names("full")
STORED = [name for name in FEATURES if name not in CALENDAR]


class Model(Protocol):
    """What scoring needs of a logged model; see `scoring.logged.LoggedModel`."""

    @property
    def version(self) -> str: ...

    @property
    def inputs(self) -> list[str]: ...

    def __call__(self, features: pd.DataFrame) -> Scored: ...

    def score(self, features: pd.DataFrame) -> Floats: ...


class Score(NamedTuple):
    """As a row of gold.scores; an event that came too late for its features has no score."""

    event: Event
    model_version: str
    score: float | None
    is_alert: bool | None
    outlier_score: float | None
    is_outlier: bool | None
    features: dict[str, float] | None  # all of the full set, in their order


class Scoring:
    """Adds events to the online store, and scores them."""

    def __init__(self, online: OnlineFeatures | HeldFeatures, model: Model) -> None:
        self._online = online
        self._model = model

    def score(self, events: Sequence[Event]) -> list[Score]:
        """The events' scores, in their order; an event that was already there is scored again."""
        rows = self._online.append(events)
        known = [at for at, row in enumerate(rows) if row is not None]
        found: dict[int, Score] = {}
        if known:
            frame = _frame([row for row in rows if row is not None],
                           np.array([events[at].time for at in known], np.int64))
            found = dict(zip(known, self._scores([events[at] for at in known], frame), strict=True))
        return [found.get(at) or Score(event, self._model.version, None, None, None, None, None)
                for at, event in enumerate(events)]

    def _scores(self, events: Sequence[Event], frame: pd.DataFrame) -> Iterator[Score]:
        columns = (each.tolist() for each in self._model(frame))
        for event, values, score, alert, unusual, outlier in zip(
                events, frame.to_numpy().tolist(), *columns, strict=True):
            yield Score(event, self._model.version, score, alert,
                        None if math.isnan(unusual) else unusual, outlier,
                        dict(zip(FEATURES, values, strict=True)))


def _frame(rows: Sequence[dict[str, float]], times: NDArray[np.int64]) -> pd.DataFrame:
    """All features of the full set, by event."""
    stored = dict(zip(STORED, np.array(list(map(itemgetter(*STORED), rows))).T, strict=True))
    return pd.DataFrame({**stored, **calendar(times)}, columns=FEATURES)
