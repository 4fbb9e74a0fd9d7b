"""The published evaluation protocol: which test rows count."""

from __future__ import annotations

import pandas as pd

__all__ = ["without_known_cards"]


def without_known_cards(test: pd.DataFrame, frauds: pd.DataFrame, label_delay: int,
                        known_days: int) -> pd.DataFrame:
    """The test rows of cards that are not known as compromised on their day.

    On test day D these are the cards with a fraud dated from `known_days` before the first test
    day up to `label_delay` + 1 days before D.

    Args:
        test: `customer_id` and `day` (date), one row per transaction.
        frauds: the same columns, one row per fraudulent transaction, of the days before and of
            test.

    Source: "Reproducible Machine Learning for Credit Card Fraud Detection", chapter 5.
    """
    start = test["day"].min() - pd.Timedelta(days=known_days)
    first_fraud = frauds[frauds["day"] >= start].groupby("customer_id")["day"].min()
    known_from = test["customer_id"].map(first_fraud) + pd.Timedelta(days=label_delay + 1)
    return test[~(known_from <= test["day"])]
