"""Training: from labelled features to the models of one version, and what is noted with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import Pipeline

from fraud_detection.model.calibration import Folds, calibrated, card_folds
from branchline.monitoring.reference import column
from fraud_detection.model.estimators import SEARCH_SPACES, estimator, inputs
from fraud_detection.model.fast import ONNX, Fast, admission, converted, proof_rows
from fraud_detection.model.outliers import fit_outliers, outlier_scores, outlier_threshold, sample
from fraud_detection.scoring.artifact import Parts
from fraud_detection.scoring.guarded import noted
from fraud_detection.scoring.logged import Floats, LoggedModel
from fraud_detection.scoring.reasons import usual
from fraud_detection.settings import Settings

__all__ = ["Trained", "best_threshold", "fit", "train"]

EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class Trained:
    """One version's models and what is noted with them; `example` are rows of the inputs."""

    classifier: CalibratedClassifierCV
    parts: Parts
    notes: dict[str, Any]
    example: pd.DataFrame

    @property
    def about(self) -> dict[str, Any]:
        """The arguments of `artifact.save_model`."""
        import mlflow
        predicted = self.classifier.predict_proba(self.example)
        return {"classifier": self.classifier, "parts": self.parts, "input_example": self.example,
                "signature": mlflow.models.infer_signature(self.example, predicted)}


def fit(rows: pd.DataFrame, settings: Settings) -> tuple[CalibratedClassifierCV, pd.DataFrame]:
    """The fitted and calibrated classifier, and all rows as if their cards were new to it.

    Args:
        rows: labelled features: the model's inputs, `customer_id`, `amount`, `is_fraud`.

    Returns:
        The classifier; a frame with `score`, `amount`, `is_fraud`, each row scored by a model that
        was not fitted on its card: for choosing a threshold.

    Raises:
        BadInput: too few cards have fraud.
    """
    columns = inputs(settings.model, settings.features)
    model = estimator(settings.model, columns, settings.class_weight, settings.seed)
    folds = card_folds(rows, settings.seed)
    if settings.search:
        model = _searched(model, rows, columns, folds[:1], settings)
    classifier, unseen = calibrated(model, rows[columns], rows["is_fraud"], folds)
    return classifier, rows[["amount", "is_fraud"]].assign(score=unseen)


def _searched(model: Pipeline, rows: pd.DataFrame, columns: list[str], folds: Folds,
              settings: Settings) -> Pipeline:
    step = model.steps[-1][0]
    space = {f"{step}__{name}": values for name, values in SEARCH_SPACES[settings.model].items()}
    search = RandomizedSearchCV(model, space, n_iter=settings.search, scoring="average_precision",
                                cv=folds, refit=False, random_state=settings.seed)
    search.fit(rows[columns], rows["is_fraud"])
    return clone(model).set_params(**search.best_params_)


def best_threshold(unseen: pd.DataFrame, alert_cost: float) -> float:
    """The threshold that pays best: fraud amount caught minus the cost of alerts."""
    ordered = unseen.sort_values("score", ascending=False, kind="stable")
    gain = (ordered["amount"] * ordered["is_fraud"] - alert_cost).cumsum().to_numpy()
    score = ordered["score"].to_numpy()
    last_of_score = np.append(score[1:] != score[:-1], True)
    best = int(np.argmax(np.where(last_of_score, gain, -np.inf)))
    return float(score[best])


def train(rows: pd.DataFrame, settings: Settings) -> Trained:
    """All models of one version; `rows` as for `fit`."""
    classifier, unseen = fit(rows, settings)
    columns = list(classifier.feature_names_in_)
    values, scores = rows[columns].to_numpy(np.float64), unseen["score"].to_numpy()
    outliers = fit_outliers(values, settings.seed)
    unusual = outlier_scores(outliers, sample(values, settings.seed))
    parts = Parts(outliers, {**{name: column(values[:, at]) for at, name in enumerate(columns)},
                             "score": column(scores), "outlier_score": column(unusual)})
    notes = {"threshold": best_threshold(unseen, settings.alert_cost),
             "outlier_threshold": outlier_threshold(unusual),
             "label_delay_days": settings.label_delay_days, **_score_shares(scores),
             **noted(settings.guardrails, rows[columns]), **usual(rows[columns], rows["is_fraud"])}
    model = _in_one_form(LoggedModel("", classifier, columns, notes, parts), values, settings.seed)
    example = rows[columns].head(EXAMPLE_ROWS)
    return Trained(classifier, model.parts, {**model.notes, "golden": _golden(model, example)},
                   example)


def _in_one_form(model: LoggedModel, rows: Floats, seed: int) -> LoggedModel:
    """The model with its fast form, if there is one and it scores as scikit-learn does."""
    fast = converted(model.pipeline, model.parts.outliers)
    form = admission(
        fast, lambda some: (model.probabilities(some)[:, 1], model.outlier_scores(some)),
        (model.threshold, model.outlier_threshold), proof_rows(rows, seed))
    admitted = fast if isinstance(fast, Fast) and form["form"] == ONNX else None
    return replace(model, parts=replace(model.parts, fast=admitted),
                   notes={**model.notes, "form": form})


def _golden(model: LoggedModel, example: pd.DataFrame) -> dict[str, Any]:
    """A row and what is predicted for it: the service checks, before it is ready, that it is so."""
    row = example.head(1).to_numpy(np.float64)
    found = model(row)
    return {"rows": row.tolist(), "predicted": model.probabilities(row).tolist(),
            "outlier_score": found.outlier_score.tolist()}


def _score_shares(scores: Floats) -> dict[str, Any]:
    """Nine edges of the unseen scores and the share in each of the ten bins, for monitor."""
    edges = np.quantile(scores, np.arange(0.1, 1.0, 0.1))
    bins = np.bincount(np.searchsorted(edges, scores, side="left"), minlength=10)
    return {"score_edges": edges.tolist(), "score_shares": (bins / len(scores)).tolist(),
            "score_mean": float(scores.mean())}
