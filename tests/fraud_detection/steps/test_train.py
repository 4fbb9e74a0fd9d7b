from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from branchline.errors import BadInput
from fraud_detection.features import names
from fraud_detection.model.estimators import SEARCH_SPACES, estimator, inputs
from fraud_detection.settings import Settings
from fraud_detection.steps.train import best_threshold, fit


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """3,000 rows of 150 customers; only `amount_to_usual` tells of fraud, but not in all."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.random((3000, 26)), columns=names("full"))
    table["is_fraud"] = (rng.random(3000) < .1).astype(int)
    table["amount_to_usual"] += 2 * table["is_fraud"] * (rng.random(3000) < .8)
    return table.assign(customer_id=rng.integers(0, 150, 3000).astype(str))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """So few rows cost more to share out than to fit."""
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize("model", SEARCH_SPACES)
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_each_model_learns_an_obvious_pattern(
        rows: pd.DataFrame, model: str, class_weight: str) -> None:
    fitted, unseen = fit(rows, Settings(model=model, class_weight=class_weight))
    assert average_precision_score(unseen["is_fraud"], unseen["score"]) > .6
    assert fitted.predict_proba(rows[inputs(model, "full")]).shape == (3000, 2)


def test_the_default_model_never_finds_more_money_less_suspicious(rows: pd.DataFrame) -> None:
    fitted, _ = fit(rows, Settings())
    columns = inputs("hist_gradient_boosting", "full")
    more = rows[columns].assign(amount_to_usual=rows["amount_to_usual"] + 1)
    assert (fitted.predict_proba(more)[:, 1] >= fitted.predict_proba(rows[columns])[:, 1]).all()


def test_the_default_model_uses_some_full_features_and_all_published_ones() -> None:
    assert set(inputs("hist_gradient_boosting", "full")) < set(names("full"))
    assert inputs("hist_gradient_boosting", "published") == names("published")


def test_published_features_leave_the_further_ones_out(rows: pd.DataFrame) -> None:
    fitted, unseen = fit(rows, Settings(features="published", model="logistic_regression"))
    assert list(fitted.feature_names_in_) == names("published")
    assert average_precision_score(unseen["is_fraud"], unseen["score"]) < .3


@pytest.mark.parametrize("model", ["hist_gradient_boosting", "logistic_regression"])
def test_the_seed_decides_everything(rows: pd.DataFrame, model: str) -> None:
    settings = Settings(model=model, class_weight="none", seed=5)
    first, second, other = (fit(rows.head(1000), chosen)[1]["score"].to_numpy()
                            for chosen in (settings, settings, replace(settings, seed=6)))
    assert np.array_equal(first, second) and not np.array_equal(first[:100], other[:100])


def test_a_search_takes_hyperparameters_from_the_space(rows: pd.DataFrame) -> None:
    fitted, _ = fit(rows, Settings(model="logistic_regression", search=3))
    assert fitted.estimator.steps[-1][1].C in SEARCH_SPACES["logistic_regression"]["C"]


def test_an_unknown_model_is_bad_input() -> None:
    with pytest.raises(BadInput, match="model 'svm' is unknown; expected one of hist_gradient"):
        estimator("svm", names("full"), "none", 0)


def test_the_threshold_is_where_another_alert_stops_paying() -> None:
    unseen = pd.DataFrame({"score": [.9, .8, .7, .6, .5], "amount": [50., 5., 50., 50., 9.],
                           "is_fraud": [1, 1, 0, 1, 1]})
    assert best_threshold(unseen, alert_cost=10) == .6
    assert best_threshold(unseen, alert_cost=40) == .9
    assert best_threshold(unseen, alert_cost=0) == .5


def test_rows_of_one_score_are_alerted_together() -> None:
    unseen = pd.DataFrame({"score": [.9, .5, .5], "amount": [1., 50., 1.], "is_fraud": [1, 1, 0]})
    assert best_threshold(unseen, alert_cost=10) == .5
    assert best_threshold(unseen.assign(amount=[30., 15., 1.]), alert_cost=10) == .9
