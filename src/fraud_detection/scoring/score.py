"""Events to scores: features from the online store, the model's scores, alerts."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from branchline.features.online import Event, HeldFeatures, OnlineFeatures
from fraud_detection.features import CALENDAR, calendar, names

__all__ = ["Model", "Score", "Scoring"]

FEATURES = names("full")
STORED = [name for name in FEATURES if name not in CALENDAR]


class Model(Protocol):
    """What scoring needs of a logged model; see `model.estimators.LoggedModel`."""

    @property
    def version(self) -> str: ...

    @property
    def inputs(self) -> list[str]: ...

    @property
    def threshold(self) -> float: ...

    def score(self, features: pd.DataFrame) -> NDArray[np.float64]: ...


class Score(NamedTuple):
    """As a row of gold.scores; an event that came too late for its features has no score."""

    event: Event
    model_version: str
    score: float | None
    is_alert: bool | None
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
        found: dict[int, float] = {}
        features: dict[int, dict[str, float]] = {}
        if known:
            frame = _frame([row for row in rows if row is not None],
                           np.array([events[at].time for at in known], np.int64))
            scores = self._model.score(frame[self._model.inputs])
            found = dict(zip(known, scores.tolist(), strict=True))
            features = {at: dict(zip(FEATURES, values, strict=True))
                        for at, values in zip(known, frame.to_numpy().tolist(), strict=True)}
        return [self._scored(event, found.get(at), features.get(at))
                for at, event in enumerate(events)]

    def _scored(self, event: Event, score: float | None,
                features: dict[str, float] | None) -> Score:
        alert = None if score is None else score >= self._model.threshold
        return Score(event, self._model.version, score, alert, features)


def _frame(rows: Sequence[dict[str, float]], times: NDArray[np.int64]) -> pd.DataFrame:
    """All features of the full set, by event."""
    stored = dict(zip(STORED, np.array(list(map(itemgetter(*STORED), rows))).T, strict=True))
    return pd.DataFrame({**stored, **calendar(times)}, columns=FEATURES)
