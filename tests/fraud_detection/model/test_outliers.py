from __future__ import annotations

import numpy as np

from fraud_detection.model.outliers import (fit_outliers, outlier_scores, outlier_threshold,
                                            sample)


def test_a_row_far_from_all_others_is_an_outlier_and_few_usual_ones_are() -> None:
    rows = np.random.default_rng(0).normal(size=(5000, 4))
    model = fit_outliers(rows, seed=0)
    threshold = outlier_threshold(outlier_scores(model, sample(rows, 0)))
    assert outlier_scores(model, np.full((1, 4), 8.0))[0] > threshold
    assert (outlier_scores(model, rows) >= threshold).mean() < .002


def test_a_missing_input_counts_as_the_median() -> None:
    rows = np.random.default_rng(0).normal(size=(500, 2))
    model = fit_outliers(rows, seed=0)
    missing, median = np.array([[np.nan, 1.0]]), np.array([[np.median(rows[:, 0]), 1.0]])
    assert outlier_scores(model, missing) == outlier_scores(model, median)
