"""Scores as probabilities: calibrated on scores of cards that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline

from branchline import BadInput

__all__ = ["Folds", "calibrated", "card_folds", "uncalibrated"]

MOST_FOLDS = 3
Floats: TypeAlias = NDArray[np.float64]
Folds: TypeAlias = Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]


def card_folds(rows: pd.DataFrame, seed: int) -> Folds:
    """The positions of the rows to fit on and of those held out; a card is held out once.

    Raises:
        BadInput: fewer than two cards have fraud, or none has only genuine rows.
    """
    frauds = rows.groupby("customer_id")["is_fraud"].max()
    folds = min(MOST_FOLDS, int(frauds.sum()), len(frauds) - 1)
    if folds < 2:
        raise BadInput(f"the training rows have {int(frauds.sum())} cards with fraud, of "
                       f"{len(frauds)}; expected at least two: a model is calibrated on cards that "
                       "it was not fitted on. Choose more days with train_days.")
    split = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return list(split.split(rows, rows["is_fraud"], rows["customer_id"]))


def calibrated(model: Pipeline, rows: pd.DataFrame, label: pd.Series,
               folds: Folds) -> tuple[CalibratedClassifierCV, Floats]:
    """The model fitted on all rows and calibrated, and each row's score as if its card were new.

    The calibration is fitted on scores of held-out cards. Platt's method keeps the order of the
    scores; a forest's shares need the isotonic one.

    Source: scikit-learn, CalibratedClassifierCV with ensemble=False.
    """
    forest = isinstance(model.steps[-1][1], RandomForestClassifier)
    method, score = ("isotonic", "predict_proba") if forest else ("sigmoid", "decision_function")
    raw = cross_val_predict(model, rows, label, cv=folds, method=score)
    unseen = _Unseen(pd.Series(raw[:, 1] if forest else raw, rows.index))
    found = CalibratedClassifierCV(unseen, method=method, cv=folds, ensemble=False).fit(rows, label)
    [part] = found.calibrated_classifiers_
    part.estimator = found.estimator = clone(model).fit(rows, label)
    found.n_features_in_, found.feature_names_in_ = rows.shape[1], rows.columns.to_numpy()
    found.cv = None  # the rows' positions are no part of the model
    return found, part.calibrators[0].predict(unseen.scores.to_numpy())


class _Unseen(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # it has no types
    """Stands for the model while it is calibrated: the known scores of the rows.

    CalibratedClassifierCV would fit the model on each fold once more.
    """

    def __init__(self, scores: pd.Series) -> None:
        self.scores, self.classes_ = scores, np.array([0, 1])

    def fit(self, rows: pd.DataFrame, label: pd.Series) -> _Unseen:
        return self

    def predict(self, rows: pd.DataFrame) -> NDArray[np.int64]:
        return (self.decision_function(rows) > 0).astype(np.int64)

    def decision_function(self, rows: pd.DataFrame) -> Floats:
        found: Floats = self.scores.loc[rows.index].to_numpy()
        return found


def uncalibrated(model: CalibratedClassifierCV, rows: pd.DataFrame) -> Floats:
    """What the scores would be without calibration."""
    found: Floats = np.mean([part.estimator.predict_proba(rows)[:, 1]
                             for part in model.calibrated_classifiers_], axis=0)
    return found
