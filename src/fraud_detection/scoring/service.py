"""The model as a web service: features given, or transactions with features from the store."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from branchline import BadInput
from branchline.guardrails import AlertRate, Judge, Judged
from branchline.serving import Golden, Service
from branchline.serving.logged import read_logged
from fraud_detection.model.estimators import METADATA, LoggedModel
from fraud_detection.scoring.guarded import judge_of
from fraud_detection.scoring.online import records_of
from fraud_detection.scoring.stream import NAME, features_version

__all__ = ["open_service"]

LABEL_DELAY_DAYS = 7  # of models that do not say it
OUTPUTS = {"score": "FP64", "is_alert": "BOOL", "outcome": "BYTES", "guardrails": "BYTES"}
Floats = NDArray[np.float64]


def open_service(folder: str, store: str | None, degraded: bool = False) -> Service:
    """The service of a model's folder; `store` is a file or redis://HOST, None: no transactions.

    If the store does not answer, a `degraded` service scores a transaction as the first of its
    card and terminal.

    Raises:
        BadInput: the model was not logged by the train step, or the store's filling was cut off.
        Unreachable: the store does not answer.
    """
    model = _read(folder)
    scored = ScoredModel.of(model)
    golden = model.notes.get("golden")
    days = int(model.notes.get("label_delay_days", LABEL_DELAY_DAYS))
    return Service(
        NAME, model.version, tuple(model.inputs), scored.takes_missing(), scored.predict,
        lambda rows, found: _outputs(scored.judge(rows, found[:, 1])), OUTPUTS,
        golden["rows"][0] if golden else [1.0] * len(model.inputs),
        Golden(np.array(golden["rows"]), np.array(golden["predicted"])) if golden else None,
        None if store is None else records_of(store, model, scored.scores, scored.judge, days,
                                              degraded),
        features_version(days))


def _read(folder: str) -> LoggedModel:
    logged = read_logged(Path(folder))
    notes = METADATA.read(logged.metadata, f"model {folder}")
    if "threshold" not in notes:
        raise BadInput(f"model {folder}: has no threshold; expected one that this project's train "
                       "step logged.")
    return LoggedModel(logged.version, logged.model, list(logged.inputs), notes)


def _outputs(judged: Judged) -> dict[str, list[Any]]:
    """A refused row has no score."""
    refused = [outcome == "refused" for outcome in judged.outcomes]
    return {"score": [None if no else score
                      for score, no in zip(judged.scores.tolist(), refused, strict=True)],
            "is_alert": [None if no else alert
                         for alert, no in zip(judged.alerts.tolist(), refused, strict=True)],
            "outcome": judged.outcomes, "guardrails": [",".join(each) for each in judged.fired]}


@dataclass(frozen=True)
class ScoredModel:
    """A model and its guardrails on rows of its inputs, in their order and without names."""

    model: LoggedModel
    pipeline: Pipeline
    rules: Judge
    rate: AlertRate

    @classmethod
    def of(cls, model: LoggedModel) -> ScoredModel:
        """The frame has checked and ordered the columns: scikit-learn need not compare names."""
        pipeline = copy.deepcopy(model.pipeline)
        for _, step in pipeline.steps:
            if hasattr(step, "feature_names_in_"):
                del step.feature_names_in_
        judge = judge_of(model.notes, model.inputs, model.version)
        return cls(model, pipeline, judge, AlertRate(judge.guardrails))

    def predict(self, rows: Floats) -> Floats:
        found: Floats = self.pipeline.predict_proba(rows)
        return found

    def scores(self, rows: Floats) -> Floats:
        return self.predict(rows)[:, 1]

    def judge(self, rows: Floats, scores: Floats) -> Judged:
        return self.rules.judge(rows, scores, self.model.threshold, rate=self.rate)

    def takes_missing(self) -> bool:
        try:
            rows = np.full((1, len(self.model.inputs)), np.nan)
            return bool(np.isfinite(self.predict(rows)).all())
        except ValueError:
            return False
