from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from fraud_detection.model.protocol import headline
from fraud_detection.model.weighted import average_precision, card_precision, net_saving


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


def test_with_all_weights_one_they_are_the_protocols(rows: pd.DataFrame) -> None:
    expected, once = headline(rows, .6, 10.), np.ones((1, len(rows)))
    assert average_precision(rows)(once)[0] == pytest.approx(expected["average_precision"])
    assert card_precision(rows)(once)[0] == pytest.approx(expected["card_precision_100"])
    assert net_saving(rows, .6, 10.)(once)[0] == pytest.approx(expected["net_saving"])


def test_weighted_average_precision_is_scikit_learns(rows: pd.DataFrame) -> None:
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
