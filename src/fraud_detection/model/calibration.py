"""Scores as probabilities: fitted on parts of the cards, calibrated on the cards left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline

from branchline import BadInput

__all__ = ["Folds", "calibrated", "card_folds", "uncalibrated", "unseen_scores"]

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
               folds: Folds) -> CalibratedClassifierCV:
    """The mean of one calibrated model a fold: fitted on its kept rows, calibrated on the others.

    Platt's method keeps the order of the scores; a forest's shares need the isotonic one.

    Source: scikit-learn, CalibratedClassifierCV with ensemble=True.
    """
    forest = isinstance(model.steps[-1][1], RandomForestClassifier)
    found = CalibratedClassifierCV(model, method="isotonic" if forest else "sigmoid", cv=folds,
                                   ensemble=True).fit(rows, label)
    found.cv = None  # the rows' positions are no part of the model
    return found


def unseen_scores(model: CalibratedClassifierCV, rows: pd.DataFrame, folds: Folds) -> Floats:
    """The score of each training row by the one model that was not fitted on its card."""
    scores = np.empty(len(rows))
    for part, (_, held_out) in zip(model.calibrated_classifiers_, folds, strict=True):
        scores[held_out] = part.predict_proba(rows.iloc[held_out])[:, 1]
    return scores


def uncalibrated(model: CalibratedClassifierCV, rows: pd.DataFrame) -> Floats:
    """What the scores would be without calibration."""
    found: Floats = np.mean([part.estimator.predict_proba(rows)[:, 1]
                             for part in model.calibrated_classifiers_], axis=0)
    return found
