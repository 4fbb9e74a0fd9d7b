"""A model with the guardrails that train logged with it: the scores of batch, stream, service."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from branchline.guardrails import AlertRate, Guardrails, Judge, Judged, Rule
from fraud_detection.scoring.logged import Floats, LoggedModel, Scored

__all__ = ["Guarded", "Model", "Row", "fired", "judge_of", "noted", "rows_of"]

NOTE = "guardrails"


class Model(Protocol):
    """What scoring needs of a logged model; see `scoring.logged.LoggedModel`."""

    @property
    def version(self) -> str: ...

    @property
    def inputs(self) -> list[str]: ...

    @property
    def threshold(self) -> float: ...

    @property
    def notes(self) -> Mapping[str, Any]: ...

    def __call__(self, features: Any) -> Scored:
        """Of a frame with the inputs or, if it takes them, of (rows, inputs)."""
        ...


class Row(NamedTuple):
    """What became of a row; a refused one has neither score nor alert."""

    score: float | None
    is_alert: bool | None
    outlier_score: float | None
    is_outlier: bool
    outcome: str
    guardrails: tuple[str, ...]


class Guarded:
    """A model and its guardrails; a rule about the rate of alerts fires only if they are counted,
    over all rows that this object sees."""

    def __init__(self, model: Model, counts_alerts: bool = False) -> None:
        self.model = model
        self._judge = judge_of(model.notes, model.inputs, model.version)
        self._rate = AlertRate(self._judge.guardrails) if counts_alerts else None

    @property
    def rules(self) -> Sequence[Rule]:
        return self._judge.guardrails.rules

    def judged(self, features: pd.DataFrame | Floats) -> tuple[Scored, Judged]:
        """The model's scores of a frame with the inputs, or of (rows, inputs), and what the rules
        make of them."""
        found = self.model(features)
        rows = (features[self.model.inputs].to_numpy(np.float64)
                if isinstance(features, pd.DataFrame) else features)
        return found, self.judge(rows, found)

    def judge(self, rows: Floats, found: Scored) -> Judged:
        """What the rules make of (rows, inputs) and their scores."""
        return self._judge.judge(rows, found.score, self.model.threshold, found.outlier,
                                 self._rate)

    def rows(self, features: pd.DataFrame | Floats) -> list[Row]:
        """What becomes of each row; `features` as for `judged`."""
        return rows_of(*self.judged(features))


def rows_of(found: Scored, judged: Judged) -> list[Row]:
    """Both by rows."""
    columns = (judged.scores, judged.alerts, found.outlier_score, found.outlier)
    return [Row(None if outcome == "refused" else score, None if outcome == "refused" else alert,
                None if math.isnan(unusual) else unusual, outlier, outcome, names)
            for score, alert, unusual, outlier, outcome, names in zip(
                *(each.tolist() for each in columns), judged.outcomes, judged.fired, strict=True)]


def noted(guardrails: Guardrails, inputs: pd.DataFrame) -> dict[str, Any]:
    """The note for a model trained on these rows: the rules, and the inputs' ranges.

    Raises:
        BadInput: a rule looks at something that the model does not take.
    """
    names = [str(name) for name in inputs]
    guardrails.check(names)
    lows, highs = inputs.min().tolist(), inputs.max().tolist()
    ranges = {name: (low, high) for name, low, high in zip(names, lows, highs, strict=True)}
    return {NOTE: replace(guardrails, ranges=ranges).to_json()}


def judge_of(notes: Mapping[str, Any], inputs: Sequence[str], version: str) -> Judge:
    """The rules of a model; none of one that an older version trained."""
    given = notes.get(NOTE)
    where = f"model {version}, guardrails"
    return Judge(Guardrails.from_json(given, where) if given else Guardrails(), inputs)


def fired(model: LoggedModel, rows: pd.DataFrame) -> dict[str, tuple[int, int, float | None]]:
    """For the gate: by rule, for how many of all rows it fires, and its bound, if it has one."""
    guarded = Guarded(model)
    _, judged = guarded.judged(rows)
    found: dict[str, tuple[int, int, float | None]] = {}
    for rule in guarded.rules:
        count = sum(rule.name in names for names in judged.fired)
        found[rule.name] = ((int(judged.alerts.sum()), len(rows), rule.above)
                            if rule.when == "alert_rate" else (count, len(rows), None))
    return found
