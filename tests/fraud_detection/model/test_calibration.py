"""Calibration on cards held out, on 20,000 rows whose probability of fraud is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss

from branchline import BadInput
from fraud_detection.features import names
from fraud_detection.model.calibration import card_folds, uncalibrated
from fraud_detection.model.metrics import calibration_error, plain
from fraud_detection.model.training import fit
from fraud_detection.settings import Settings


def world(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(rng.random((20_000, 26)), columns=names("full"))
    probability = .2 * rows["amount_to_usual"] ** 4
    return rows.assign(is_fraud=(rng.random(20_000) < probability).astype(int),
                       customer_id=rng.integers(0, 400, 20_000).astype(str))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return world(0)


@pytest.mark.parametrize("kind", ["logistic_regression", "hist_gradient_boosting"])
def test_scores_of_other_cards_are_probabilities_despite_class_weights(
        rows: pd.DataFrame, kind: str) -> None:
    model, _ = fit(rows, Settings(model=kind, class_weight="balanced"))
    test = world(1)
    score = model.predict_proba(test[model.feature_names_in_])[:, 1]
    before = uncalibrated(model, test[model.feature_names_in_])
    error, error_before = (plain(calibration_error(test.assign(score=each)), test)
                           for each in (score, before))
    assert error < .01 < .2 < error_before
    assert brier_score_loss(test["is_fraud"], score) < brier_score_loss(test["is_fraud"], before)
    assert abs(score.mean() - test["is_fraud"].mean()) < .005


@pytest.mark.parametrize("kind", ["random_forest", "hist_gradient_boosting"])
def test_a_row_s_unseen_score_is_a_probability_by_models_without_its_card(
        rows: pd.DataFrame, kind: str) -> None:
    some = rows.head(4000)
    model, unseen = fit(some, Settings(model=kind))
    assert plain(calibration_error(some.assign(score=unseen["score"])), some) < .02
    own = model.predict_proba(some[model.feature_names_in_])[:, 1]
    frauds = some["is_fraud"] == 1
    assert own[frauds].mean() > 1.5 * unseen["score"][frauds].mean()  # these cards it has seen


def test_each_row_is_held_out_once_with_all_rows_of_its_card(rows: pd.DataFrame) -> None:
    folds = card_folds(rows, 0)
    assert sorted(np.concatenate([held_out for _, held_out in folds])) == list(range(len(rows)))
    for kept, held_out in folds:
        assert not set(rows["customer_id"].iloc[kept]) & set(rows["customer_id"].iloc[held_out])


def test_two_cards_with_fraud_are_enough_and_one_is_bad_input(rows: pd.DataFrame) -> None:
    some = rows.head(500).assign(is_fraud=0, amount=1.0)
    two = some.assign(is_fraud=some["customer_id"].isin(some["customer_id"].iloc[:2]).astype(int))
    model, unseen = fit(two, Settings())
    assert np.isfinite(unseen["score"]).all() and list(model.classes_) == [0, 1]
    one = some.assign(is_fraud=(some["customer_id"] == some["customer_id"].iloc[0]).astype(int))
    with pytest.raises(BadInput, match="have 1 cards with fraud, .* expected at least two"):
        fit(one, Settings())
