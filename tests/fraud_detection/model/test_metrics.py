from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from fraud_detection.model.metrics import (average_precision, calibration_error, card_precision,
                                           headline, plain)


@pytest.fixture(scope="module", params=["every score once", "many ties"])
def rows(request: pytest.FixtureRequest) -> pd.DataFrame:
    """4,000 transactions of 900 cards on 7 days, 3% of them fraud, with a score that tells some."""
    source = np.random.default_rng(0)
    fraud = (source.random(4000) < .03).astype(int)
    score = (source.random(4000) + fraud) / 2
    return pd.DataFrame({
        "customer_id": source.integers(0, 900, 4000).astype(str), "is_fraud": fraud,
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(source.integers(0, 7, 4000), "D"),
        "amount": source.lognormal(3, 1, 4000),
        "score": score if "once" in request.param else score.round(2)})


def test_with_weights_of_one_average_precision_equals_scikit_learns(rows: pd.DataFrame) -> None:
    assert plain(average_precision(rows), rows) == pytest.approx(
        average_precision_score(rows["is_fraud"], rows["score"]), rel=1e-12)


def test_with_weights_of_one_card_precision_counts_each_card(rows: pd.DataFrame) -> None:
    cards = rows.groupby(["day", "customer_id"])[["score", "is_fraud"]].max().reset_index()
    found: set[str] = set()
    precisions = []
    for _, day in cards.groupby("day"):
        new = day[~day["customer_id"].isin(found)]
        alerts = new.sort_values("score", ascending=False, kind="stable").head(100)
        caught = alerts.loc[alerts["is_fraud"] == 1, "customer_id"]
        found.update(caught)
        precisions.append(len(caught) / 100)
    assert plain(card_precision(rows), rows) == pytest.approx(np.mean(precisions), rel=1e-12)


def test_weighted_average_precision_equals_scikit_learns(rows: pd.DataFrame) -> None:
    weights = np.random.default_rng(1).exponential(size=(3, len(rows)))
    expected = [average_precision_score(rows["is_fraud"], rows["score"], sample_weight=each)
                for each in weights]
    assert average_precision(rows)(weights) == pytest.approx(expected)


def test_a_day_of_weight_2_counts_as_two_days_in_card_precision(rows: pd.DataFrame) -> None:
    first = rows[rows["day"] == rows["day"].min()]
    apart = rows.assign(customer_id=rows["customer_id"] + rows["day"].astype(str))
    daily = [card_precision(day)(np.ones((1, len(day))))[0] for _, day in apart.groupby("day")]
    weights = np.where(apart.index.isin(first.index), 2., 1.)[None, :]
    assert card_precision(apart)(weights)[0] == pytest.approx((sum(daily) + daily[0]) / 8)


def test_a_card_that_was_found_is_left_out_of_later_days() -> None:
    rows = pd.DataFrame({"day": pd.to_datetime(["2024-01-01", "2024-01-02"] * 2),
                         "customer_id": list("aabb"), "amount": 1., "score": [.9, .9, .1, .1],
                         "is_fraud": [1, 1, 0, 0]})
    assert card_precision(rows, top=1)(np.ones((1, 4)))[0] == .5


def test_without_fraud_there_is_no_average_precision(rows: pd.DataFrame) -> None:
    none = rows.assign(is_fraud=0)
    assert np.isnan(average_precision(none)(np.ones((2, len(rows))))).all()


def test_card_precision_counts_cards_not_transactions_and_each_card_once() -> None:
    rows = pd.DataFrame([
        (0, "a", .9, 1), (0, "a", .1, 0), (0, "b", .8, 0), (0, "c", .2, 1),
        (1, "a", .9, 1), (1, "b", .8, 0), (1, "c", .7, 1),
    ], columns=["day", "customer_id", "score", "is_fraud"])
    # Day 0: a and b of the top two, a is found. Day 1: without a, b and c; c is found.
    assert plain(card_precision(rows, top=2), rows) == pytest.approx((1 / 2 + 1 / 2) / 2)


def test_a_day_with_fewer_cards_than_alerts_is_still_measured_against_all_alerts() -> None:
    rows = pd.DataFrame({"day": [0], "customer_id": ["a"], "score": [.5], "is_fraud": [1]})
    assert plain(card_precision(rows, top=100), rows) == pytest.approx(.01)


def test_the_calibration_error_is_the_mean_gap_between_score_and_share_of_fraud() -> None:
    rows = pd.DataFrame({"score": [.1] * 60 + [.5] * 20, "is_fraud": [0] * 54 + [1] * 6 + [1] * 20})
    measure = calibration_error(rows)
    assert plain(measure, rows) == pytest.approx(20 / 80 * .5)
    only_the_first = np.r_[np.ones(60), np.zeros(20)][None, :]
    assert measure(only_the_first)[0] == pytest.approx(0)


def test_headline_counts_money_at_the_threshold() -> None:
    rows = pd.DataFrame({
        "day": 0, "customer_id": list("abcd"), "amount": [10., 20., 40., 80.],
        "score": [.9, .5, .4, .1], "is_fraud": [1, 0, 1, 0]})
    found = headline(rows, threshold=.5, alert_cost=3)
    assert found["money_saved"] == 10 and found["money_lost"] == 40
    assert found["net_saving"] == 10 - 2 * 3 and found["alerts"] == 2
    assert found["precision"] == .5 and found["recall"] == .5
    assert found["roc_auc"] == pytest.approx(3 / 4)
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["brier_score"] == pytest.approx(np.mean([.01, .25, .36, .01]))
