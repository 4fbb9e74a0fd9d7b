"""The protocol's measures under weights of the rows, for many weightings at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fraud_detection.model.protocol import ALERTS_A_DAY

__all__ = ["Weighted", "average_precision", "card_precision", "net_saving"]

Floats: TypeAlias = NDArray[np.float64]
Weighted: TypeAlias = Callable[[Floats], Floats]  # weights, draws x rows -> a value a draw


def average_precision(rows: pd.DataFrame) -> Weighted:
    """Average precision of `score` against `is_fraud`, a row a transaction; NaN without fraud."""
    order = np.argsort(-rows["score"].to_numpy(), kind="stable")
    score, fraud = rows["score"].to_numpy()[order], rows["is_fraud"].to_numpy()[order] == 1
    last_of_score = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    frauds = np.flatnonzero(fraud)
    # Precision is asked for only where a fraud is: a row there, and all that rank above it.
    ends, first = np.unique(last_of_score[np.searchsorted(last_of_score, frauds)],
                            return_index=True)
    starts = np.append(0, ends[:-1] + 1)

    def value(weights: Floats) -> Floats:
        if len(frauds) == 0:
            return np.full(len(weights), np.nan)
        ranked = weights[:, order[:ends[-1] + 1]]
        seen = np.add.reduceat(ranked, starts, axis=1).cumsum(axis=1)
        hits = np.add.reduceat(ranked[:, frauds], first, axis=1)
        found = hits.cumsum(axis=1)
        precision: Floats = (hits * found / seen).sum(axis=1) / found[:, -1]
        return precision

    return value


def net_saving(rows: pd.DataFrame, threshold: float, alert_cost: float) -> Weighted:
    """Amount of the frauds with a score from `threshold` on, less the cost of all such alerts."""
    gain = np.where(rows["score"] >= threshold, rows["amount"] * rows["is_fraud"] - alert_cost, 0.)
    return lambda weights: weights @ gain


def card_precision(rows: pd.DataFrame, top: int = ALERTS_A_DAY) -> Weighted:
    """Card precision as in the protocol; a day is given alerts in proportion to its weight.

    So a day of weight 2 has 2 * `top` alerts, and its cards twice each: it counts twice.
    """
    cards = (rows.assign(row=np.arange(len(rows))).groupby(["day", "customer_id"])
             .agg(score=("score", "max"), is_fraud=("is_fraud", "max"), row=("row", "first"))
             .reset_index().sort_values(["day", "score"], ascending=[True, False], kind="stable"))
    card, known = pd.factorize(cards["customer_id"])
    fraud, row = cards["is_fraud"].to_numpy() == 1, cards["row"].to_numpy()
    days = [places for _, places in sorted(cards.reset_index().groupby("day").indices.items())]

    def value(weights: Floats) -> Floats:
        new = np.ones((len(weights), len(known)))
        caught, alerts = np.zeros(len(weights)), np.zeros(len(weights))
        for day in days:
            of_day = weights[:, row[day]]
            limit = top * of_day.mean(axis=1, keepdims=True)
            waiting = of_day * new[:, card[day]]
            taken = np.clip(limit - (waiting.cumsum(axis=1) - waiting), 0, waiting)[:, fraud[day]]
            caught += taken.sum(axis=1)
            alerts += limit[:, 0]
            new[:, card[day][fraud[day]]] *= taken <= 0
        precision: Floats = caught / alerts
        return precision

    return value
