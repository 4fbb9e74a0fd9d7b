from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fraud_detection.model.protocol import card_precision, headline, without_known_cards

START = pd.Timestamp("2018-08-08")


def frame(*rows: tuple[str, int]) -> pd.DataFrame:
    """Customer and days from the first test day."""
    return pd.DataFrame([(name, START + pd.Timedelta(days=day)) for name, day in rows],
                        columns=["customer_id", "day"])


@pytest.mark.parametrize(("fraud_day", "removed"), [
    (-15, []),                       # too long ago: no longer on the list
    (-14, [0, 1, 2, 3, 4, 5, 6]),
    (-8, [0, 1, 2, 3, 4, 5, 6]),     # known on the first test day
    (-7, [1, 2, 3, 4, 5, 6]),        # known a day later, and so on
    (-2, [6]),
    (-1, []),
])
def test_a_card_is_removed_from_the_day_on_which_its_fraud_is_known(
        fraud_day: int, removed: list[int]) -> None:
    test = frame(*(("a", day) for day in range(7)), *(("b", day) for day in range(7)))
    kept = without_known_cards(test, frame(("a", fraud_day)), 7, 14)
    days = [(day - START).days for day in kept.loc[kept["customer_id"] == "a", "day"]]
    assert days == [day for day in range(7) if day not in removed]
    assert (kept["customer_id"] == "b").sum() == 7


def test_card_precision_counts_cards_not_transactions_and_each_card_once() -> None:
    rows = pd.DataFrame([
        (0, "a", .9, 1), (0, "a", .1, 0), (0, "b", .8, 0), (0, "c", .2, 1),
        (1, "a", .9, 1), (1, "b", .8, 0), (1, "c", .7, 1),
    ], columns=["day", "customer_id", "score", "is_fraud"])
    # Day 0: a and b of the top two, a is found. Day 1: without a, b and c; c is found.
    assert card_precision(rows, top=2) == pytest.approx((1 / 2 + 1 / 2) / 2)


def test_a_day_with_fewer_cards_than_alerts_is_still_measured_against_all_alerts() -> None:
    rows = pd.DataFrame({"day": [0], "customer_id": ["a"], "score": [.5], "is_fraud": [1]})
    assert card_precision(rows, top=100) == pytest.approx(.01)


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
