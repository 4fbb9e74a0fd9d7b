"""Events to scores: features from the online store, the model's scores, alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from branchline.features.online import Event, OnlineFeatures
from fraud_detection.features import calendar, names

__all__ = ["Model", "Score", "Scoring"]

FEATURES = names("full")


class Model(Protocol):
    """What scoring needs of a logged model; see `model.estimators.LoggedModel`."""

    @property
    def version(self) -> str: ...

    @property
    def inputs(self) -> list[str]: ...

    @property
    def threshold(self) -> float: ...

    def score(self, features: pd.DataFrame) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Score:
    """As a row of gold.scores; an event that came too late for its features has no score."""

    event: Event
    model_version: str
    score: float | None
    is_alert: bool | None
    features: dict[str, float] | None  # all of the full set, in their order


class Scoring:
    """Adds events to the online store, and scores them."""

    def __init__(self, online: OnlineFeatures, model: Model) -> None:
        self._online = online
        self._model = model

    def score(self, events: Sequence[Event]) -> list[Score]:
        """The events' scores, in their order; an event that was already there is scored again."""
        rows = self._online.append(events)
        known = [at for at, row in enumerate(rows) if row is not None]
        found: dict[int, float] = {}
        features: dict[int, dict[str, float]] = {}
        if known:
            times = np.array([events[at].time for at in known], np.int64)
            frame = pd.DataFrame([rows[at] for at in known]).assign(**calendar(times))[FEATURES]
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
