from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fraud_detection.steps.evaluate import slice_metrics


@pytest.fixture
def slices() -> pd.DataFrame:
    """Frauds of small amounts are missed, those of large ones are found."""
    rows = pd.DataFrame({
        "day": pd.Timestamp("2024-01-01"), "customer_id": list("aabbcdef"),
        "amount": [10., 300., 10., 300., 10., 300., 10., 300.],
        "score": [.1, .9, .1, .9, .2, .3, .2, .3], "is_fraud": [1, 1, 1, 1, 0, 0, 0, 0]})
    return slice_metrics(rows, threshold=.5).set_index(["slice", "value"])


def test_a_weak_amount_band_shows(slices: pd.DataFrame) -> None:
    small, large = (slices.loc[("amount", band)] for band in ("[0.0, 25.0)", "[200.0, inf)"))
    assert (small["recall"], large["recall"]) == (0, 1)
    assert small["average_precision"] < large["average_precision"] == 1
    assert small["rows"] == 4 and small["frauds"] == 2


def test_frauds_of_a_card_are_measured_against_all_genuine_rows(slices: pd.DataFrame) -> None:
    two = slices.loc[("frauds_of_card", "[2.0, 3.0)")]
    assert two["rows"] == 8 and two["frauds"] == 4 and two["recall"] == .5


def test_a_day_without_fraud_has_no_precision() -> None:
    rows = pd.DataFrame({"day": pd.Timestamp("2024-01-02"), "customer_id": list("ab"),
                         "amount": 1., "score": .5, "is_fraud": 0})
    day = slice_metrics(rows, .5).set_index("slice").loc["day"]
    assert np.isnan(day["average_precision"]) and day["frauds"] == 0
