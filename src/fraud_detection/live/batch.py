"""Step `batch`: a registered model's scores of silver's days into gold.scores."""

from __future__ import annotations

from datetime import timedelta

from branchline import BadInput, Lakehouse, Step
from fraud_detection.data.days import Span, between, covered
from fraud_detection.live.champion import address
from fraud_detection.live.settings import ScoringSettings
from fraud_detection.live.tables import LIVE_KPIS, LIVE_SCORES
from fraud_detection.scoring.logged import find_current
from fraud_detection.steps.featurize import features
from fraud_detection.steps.predict import counts, write_scores
from fraud_detection.tables import TRANSACTIONS

__all__ = ["run", "step"]

WEEK = timedelta(days=6)


def run(lakehouse: Lakehouse, settings: ScoringSettings) -> dict[str, int]:
    """Score the days, replacing this model's scores of them; counts: `rows`, `alerts`, `days`.

    Raises:
        BadInput: silver has no rows on these days, no version of the model has the alias, or its
            inputs were defined otherwise than they are now.
    """
    transactions = lakehouse.read(TRANSACTIONS)
    last = settings.last_day or covered(transactions).last
    span = Span(settings.first_day or last - WEEK, last)
    if transactions.where(between(span.first, span.last)).limit(1).count() == 0:
        raise BadInput(f"silver.transactions has no rows on {span}; expected days that it has.")
    model = find_current(address(settings), settings.label_delay_days)
    rows = features(transactions, span.first, span.last, settings.label_delay_days)
    return counts(write_scores(lakehouse, rows, model, span, LIVE_SCORES, LIVE_KPIS), span)


step = Step("batch", run, reads=(TRANSACTIONS,), writes=(LIVE_SCORES, LIVE_KPIS))
