"""The protocol's metrics, for many weightings of the rows at once, and for a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, precision_score, recall_score, roc_auc_score

__all__ = ["ALERTS_A_DAY", "Weighted", "average_precision", "calibration", "calibration_error",
           "card_precision", "halves", "headline", "net_saving", "plain", "ranking"]

ALERTS_A_DAY = 100
Floats: TypeAlias = NDArray[np.float64]
Weighted: TypeAlias = Callable[[Floats], Floats]  # weights, draws x rows -> one value per draw


def plain(measure: Weighted, rows: pd.DataFrame) -> float:
    """The metric with each row counted once."""
    return float(measure(np.ones((1, len(rows))))[0])


def average_precision(rows: pd.DataFrame) -> Weighted:
    """Average precision of `score`, one row per transaction; NaN without fraud."""
    order = np.argsort(-rows["score"].to_numpy(), kind="stable")
    score, fraud = rows["score"].to_numpy()[order], rows["is_fraud"].to_numpy()[order] == 1
    last_of_score = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    frauds = np.flatnonzero(fraud)
    # Precision is needed only at each fraud: over its row and all that rank above it.
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
    """Amount of the frauds with a score of at least `threshold`, minus the cost of these alerts."""
    gain = np.where(rows["score"] >= threshold, rows["amount"] * rows["is_fraud"] - alert_cost, 0.)
    return lambda weights: weights @ gain


def card_precision(rows: pd.DataFrame, top: int = ALERTS_A_DAY) -> Weighted:
    """Mean over days of the share of compromised cards among the `top` with the highest score.

    A card that was found on an earlier day is left out of the later ones. A day of weight 2 has 2 *
    `top` alerts and each card twice, so it counts twice.

    Args:
        rows: `day`, `customer_id`, `score`, `is_fraud`, one row per transaction.
    """
    cards = (rows.assign(row=np.arange(len(rows))).groupby(["day", "customer_id"])
             .agg(score=("score", "max"), is_fraud=("is_fraud", "max"), row=("row", "first"))
             .reset_index().sort_values(["day", "score"], ascending=[True, False], kind="stable"))
    card, known = pd.factorize(cards["customer_id"])
    fraud, row = cards["is_fraud"].to_numpy() == 1, cards["row"].to_numpy()
    days = [found for _, found in sorted(cards.reset_index().groupby("day").indices.items())]

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


def halves(score: Floats) -> NDArray[np.int64]:
    """The bin of each score: from the lowest up, each bin holds half of the remaining rows.

    Frauds are few and score high: bins of equal size would put them all into the last one. Equal
    scores stay together.
    """
    steps = 1 - 0.5 ** np.arange(1, max(2, int(np.log2(max(len(score), 1) / 20))))
    edges = np.unique(np.quantile(score, steps)) if len(score) else np.array([])
    found: NDArray[np.int64] = np.searchsorted(edges, score, side="right")
    return found


def calibration_error(rows: pd.DataFrame) -> Weighted:
    """Expected calibration error: the mean over rows of how far, in the row's bin, the mean score
    is from the share of fraud; bins are those of `halves`."""
    which = halves(rows["score"].to_numpy())
    gap = np.zeros((len(rows), which.max(initial=0) + 1))
    gap[np.arange(len(rows)), which] = rows["score"] - rows["is_fraud"]

    def value(weights: Floats) -> Floats:
        found: Floats = np.abs(weights @ gap).sum(axis=1) / weights.sum(axis=1)
        return found

    return value


def calibration(rows: pd.DataFrame) -> dict[str, float]:
    """How good `score` is as a probability: Brier score and expected calibration error."""
    return {"brier_score": float(brier_score_loss(rows["is_fraud"], rows["score"])),
            "calibration_error": plain(calibration_error(rows), rows)}


def ranking(rows: pd.DataFrame) -> dict[str, float]:
    """AUC, average precision (AP) and card precision of the score; `rows` as in `headline`."""
    return {"roc_auc": float(roc_auc_score(rows["is_fraud"], rows["score"])),
            "average_precision": plain(average_precision(rows), rows),
            f"card_precision_{ALERTS_A_DAY}": plain(card_precision(rows), rows)}


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
        "net_saving": plain(net_saving(rows, threshold, alert_cost), rows),
        **calibration(rows),
    }
