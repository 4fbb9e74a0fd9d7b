"""The published evaluation protocol: which test rows count, and the measures taken on them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import (average_precision_score, brier_score_loss, precision_score,
                             recall_score, roc_auc_score)

__all__ = ["card_precision", "headline", "ranking", "without_known_cards"]

ALERTS_A_DAY = 100


def without_known_cards(test: pd.DataFrame, frauds: pd.DataFrame, label_delay: int,
                        known_days: int) -> pd.DataFrame:
    """The test rows of cards that are not known as compromised on their day.

    On test day D these are the cards with a fraud dated from `known_days` before the first test
    day up to `label_delay` + 1 days before D.

    Args:
        test: `customer_id` and `day` (date), a row a transaction.
        frauds: the same columns, a row a fraudulent transaction, of the days before and of test.

    Source: "Reproducible Machine Learning for Credit Card Fraud Detection", chapter 5.
    """
    start = test["day"].min() - pd.Timedelta(days=known_days)
    first_fraud = frauds[frauds["day"] >= start].groupby("customer_id")["day"].min()
    known_from = test["customer_id"].map(first_fraud) + pd.Timedelta(days=label_delay + 1)
    return test[~(known_from <= test["day"])]


def card_precision(rows: pd.DataFrame, top: int = ALERTS_A_DAY) -> float:
    """Mean over days of the share of compromised cards among the `top` with the highest score.

    A card that was found on an earlier day is left out of the later ones.

    Args:
        rows: `day`, `customer_id`, `score`, `is_fraud`, a row a transaction.
    """
    cards = (rows.groupby(["day", "customer_id"])
             .agg(score=("score", "max"), is_fraud=("is_fraud", "max")).reset_index())
    found: set[str] = set()
    precisions = []
    for _, day in cards.groupby("day"):
        new = day[~day["customer_id"].isin(found)]
        alerts = new.sort_values("score", ascending=False, kind="stable").head(top)
        caught = alerts.loc[alerts["is_fraud"] == 1, "customer_id"]
        found.update(caught)
        precisions.append(len(caught) / top)
    return float(np.mean(precisions)) if precisions else float("nan")


def ranking(rows: pd.DataFrame) -> dict[str, float]:
    """AUC, average precision (AP) and card precision of the score; `rows` as in `headline`."""
    label, score = rows["is_fraud"], rows["score"]
    return {"roc_auc": float(roc_auc_score(label, score)),
            "average_precision": float(average_precision_score(label, score)),
            f"card_precision_{ALERTS_A_DAY}": card_precision(rows)}


def headline(rows: pd.DataFrame, threshold: float, alert_cost: float) -> dict[str, float]:
    """The run's headline metrics.

    Args:
        rows: labelled test rows: `day`, `customer_id`, `amount`, `score`, `is_fraud`.
        threshold: an alert is a score of at least this.
        alert_cost: what one alert costs, in the unit of the amounts.
    """
    label, score = rows["is_fraud"].to_numpy(), rows["score"].to_numpy()
    alert = score >= threshold
    caught = float(rows["amount"][alert & (label == 1)].sum())
    return {
        **ranking(rows),
        "precision": float(precision_score(label, alert, zero_division=0.0)),
        "recall": float(recall_score(label, alert)),
        "alerts": float(alert.sum()),
        "money_saved": caught,
        "money_lost": float(rows["amount"][~alert & (label == 1)].sum()),
        "net_saving": caught - alert_cost * float(alert.sum()),
        "brier_score": float(brier_score_loss(label, score)),
    }
