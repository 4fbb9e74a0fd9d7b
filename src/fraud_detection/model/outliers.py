"""The outlier model: how unlike the training rows a row of the model's inputs is."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline

__all__ = ["fit_outliers", "outlier_scores", "outlier_threshold", "sample"]

Floats: TypeAlias = NDArray[np.float64]
OUTLIERS = 0.001  # the share of the training rows that counts as outliers
LOOKED_AT = 20_000  # rows


def fit_outliers(rows: Floats, seed: int) -> Pipeline:
    """An isolation forest of rows x inputs; a missing input counts as the median.

    Source: Liu, Ting and Zhou, "Isolation Forest" (2008).
    """
    forest = IsolationForest(n_estimators=100, max_samples=256, random_state=seed)
    return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True),
                         forest).fit(rows)


def outlier_scores(model: Pipeline, rows: Floats) -> Floats:
    """The score of each row, 0 to 1; about one half for a usual row."""
    scores: Floats = -model.score_samples(rows)
    return scores


def outlier_threshold(scores: Floats) -> float:
    """From here on a row is an outlier."""
    return float(np.quantile(scores, 1 - OUTLIERS))


def sample(rows: Floats, seed: int) -> Floats:
    """Some of the rows, enough for quantiles of their scores."""
    if len(rows) <= LOOKED_AT:
        return rows
    chosen: Floats = rows[np.random.default_rng(seed).choice(len(rows), LOOKED_AT, replace=False)]
    return chosen
