from __future__ import annotations

import pandas as pd
import pytest

from fraud_detection.model.known_cards import without_known_cards

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
