"""Step `batch`: a registered model's scores of silver's days into gold.scores."""

from __future__ import annotations

from datetime import timedelta

from pyspark.sql import DataFrame

from branchline import BadInput, Lakehouse, Step
from fraud_detection.data.days import Span, between, covered
from fraud_detection.live.champion import address
from fraud_detection.live.settings import ScoringSettings
from fraud_detection.live.tables import LIVE_KPIS, LIVE_SCORES
from fraud_detection.scoring.logged import LoggedModel, find_model
from fraud_detection.steps.featurize import features
from fraud_detection.steps.predict import daily_kpis, scored
from fraud_detection.tables import TRANSACTIONS

__all__ = ["run", "step"]

WEEK = timedelta(days=6)


def run(lakehouse: Lakehouse, settings: ScoringSettings) -> dict[str, int]:
    """Score the days, replacing this model's scores of them; counts: `rows`, `alerts`, `days`.

    Raises:
        BadInput: silver has no rows on these days, or no version of the model has the alias.
    """
    transactions = lakehouse.read(TRANSACTIONS)
    last = settings.last_day or covered(transactions).last
    span = Span(settings.first_day or last - WEEK, last)
    if transactions.where(between(span.first, span.last)).limit(1).count() == 0:
        raise BadInput(f"silver.transactions has no rows on {span}; expected days that it has.")
    rows = features(transactions, span.first, span.last, settings.label_delay_days)
    return _written(lakehouse, find_model(address(settings)), rows, span)


def _written(lakehouse: Lakehouse, model: LoggedModel, rows: DataFrame,
             span: Span) -> dict[str, int]:
    on_span = between(span.first, span.last)
    same_model = f"model_version = '{model.version}' AND {on_span}"
    lakehouse.overwrite(LIVE_SCORES, scored(rows, model), same_model)
    scores = lakehouse.read(LIVE_SCORES).where(same_model)
    lakehouse.overwrite(LIVE_KPIS, daily_kpis(lakehouse.read(TRANSACTIONS).where(on_span), scores),
                        f"day >= DATE'{span.first}' AND day <= DATE'{span.last}'")
    return {"rows": scores.count(), "alerts": scores.where("is_alert").count(), "days": span.count}


step = Step("batch", run, reads=(TRANSACTIONS,), writes=(LIVE_SCORES, LIVE_KPIS))
