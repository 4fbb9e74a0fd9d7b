"""Events to scores: features from the online store, the model's scores, alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from branchline.features.online import Event, OnlineFeatures
from branchline.guardrails import AlertRate
from fraud_detection.features import calendar, names
from fraud_detection.scoring.guarded import judge_of

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

    @property
    def notes(self) -> Mapping[str, Any]: ...

    def score(self, features: pd.DataFrame) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Score:
    """As a row of gold.scores; an event that was refused or came too late has no score."""

    event: Event
    model_version: str
    score: float | None
    is_alert: bool | None
    features: dict[str, float] | None  # all of the full set, in their order
    outcome: str = "late"
    guardrails: tuple[str, ...] = ()


class Scoring:
    """Adds events to the online store, and scores them."""

    def __init__(self, online: OnlineFeatures, model: Model,
                 rate: AlertRate | None = None) -> None:
        self._online = online
        self._model = model
        self._judge = judge_of(model.notes, model.inputs, model.version)
        self._rate = rate

    def score(self, events: Sequence[Event]) -> list[Score]:
        """The events' scores, in their order; an event that was already there is scored again."""
        rows = self._online.append(events)
        known = [at for at, row in enumerate(rows) if row is not None]
        found: dict[int, tuple[float, bool, str, tuple[str, ...]]] = {}
        features: dict[int, dict[str, float]] = {}
        if known:
            times = np.array([events[at].time for at in known], np.int64)
            frame = pd.DataFrame([rows[at] for at in known]).assign(**calendar(times))[FEATURES]
            inputs = frame[self._model.inputs]
            judged = self._judge.judge(inputs.to_numpy(np.float64), self._model.score(inputs),
                                       self._model.threshold, rate=self._rate)
            found = dict(zip(known, zip(judged.scores.tolist(), judged.alerts.tolist(),
                                        judged.outcomes, judged.fired, strict=True), strict=True))
            features = {at: dict(zip(FEATURES, values, strict=True))
                        for at, values in zip(known, frame.to_numpy().tolist(), strict=True)}
        return [self._scored(event, found.get(at), features.get(at))
                for at, event in enumerate(events)]

    def _scored(self, event: Event, found: tuple[float, bool, str, tuple[str, ...]] | None,
                features: dict[str, float] | None) -> Score:
        if found is None:
            return Score(event, self._model.version, None, None, features)
        score, alert, outcome, fired = found
        refused = outcome == "refused"
        return Score(event, self._model.version, None if refused else score,
                     None if refused else alert, features, outcome, fired)
