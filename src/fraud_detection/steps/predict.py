"""Step 7: a logged model's scores for a span of days into gold.scores, and the days' KPIs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, functions as F

from branchline import BadInput, Lakehouse, Step, Table
from branchline.guardrails import Rule
from branchline.inference_log import Origin
from branchline.inference_log.of_batch import log_batch
from fraud_detection.data.days import Span, between, day_of, run_days
from fraud_detection.feature_versions import DEFINITIONS, require_same, version_now
from fraud_detection.scoring.guarded import Guarded
from fraud_detection.scoring.logged import LoggedModel, find_model
from fraud_detection.scoring.stream import NAME
from fraud_detection.settings import Settings
from fraud_detection.tables import DAILY_KPIS, FEATURES, SCORES, TRANSACTIONS

__all__ = ["counts", "daily_kpis", "outcome", "run", "scored", "step", "write_scores"]

SCORE_ROWS = ("transaction_id STRING, event_time TIMESTAMP, customer_id STRING, score DOUBLE, "
              "is_alert BOOLEAN, outlier_score DOUBLE, is_outlier BOOLEAN, guardrails STRING")
ROW = ("transaction_id", "event_time", "customer_id")


def scored(features: DataFrame, model: LoggedModel) -> DataFrame:
    """The rows of gold.features, scored, with the columns of gold.scores.

    Rows that a guardrail refuses are left out.
    """
    names = [*ROW, "score", "is_alert", "outlier_score", "is_outlier", "guardrails"]
    guarded = Guarded(model)

    def score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                found, judged = guarded.judged(batch.select(model.inputs).to_pandas())
                fired = pa.array([",".join(rules) or None for rules in judged.fired], pa.string())
                yield pa.RecordBatch.from_arrays(
                    [*(batch[name] for name in ROW), pa.array(judged.scores),
                     pa.array(judged.alerts), pa.array(found.outlier_score, from_pandas=True),
                     pa.array(found.outlier), fired], names=names
                    ).filter(pa.array(~np.isnan(judged.scores)))

    return (features.select(*ROW, *model.inputs).mapInArrow(score, SCORE_ROWS)
            .withColumn("model_version", F.lit(model.version)))


def daily_kpis(transactions: DataFrame, scores: DataFrame) -> DataFrame:
    """gold.daily_kpis of the days of `transactions`; `scores` are those of one model."""
    fraud = F.col("is_fraud") == 1
    alert = F.coalesce("is_alert", F.lit(False))
    return (transactions.withColumn("day", F.expr(day_of()))
            .join(scores.select("transaction_id", "score", "is_alert", "model_version"),
                  "transaction_id", "left")
            .groupBy("day").agg(
                F.count("*").alias("transactions"), F.sum("amount").alias("amount"),
                F.count(F.when(fraud, 1)).alias("frauds"),
                F.sum(F.when(fraud, F.col("amount")).otherwise(0.0)).alias("fraud_amount"),
                F.count(F.when(alert, 1)).alias("alerts"),
                F.sum(F.when(fraud & alert, F.col("amount")).otherwise(0.0)).alias("saved_amount"),
                F.avg("score").alias("mean_score"), F.max("model_version").alias("model_version")))


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Score the run's days, replacing this model's scores; counts: `rows`, `alerts`, `days`.

    Raises:
        BadInput: gold.features has no row on these days, or has other definitions of the model's
            inputs than those it was trained with; or no such model is found.
    """
    model = find_model(settings.model_uri)
    span = run_days(lakehouse.read(TRANSACTIONS), settings).scored
    on_span = between(span.first, span.last)
    features = lakehouse.read(FEATURES).where(on_span)
    found = [row[0] for row in features.select(DEFINITIONS).distinct().collect()]
    if not found:
        raise BadInput(f"gold.features has no rows on {span}; run featurize for these days first.")
    require_same(model.version, model.notes, found, settings.label_delay_days,
                 f"gold.features on {span}")
    scores = write_scores(lakehouse, features, model, span)
    if settings.log_scores == "true":
        _log(lakehouse, features, scores, model, on_span, settings)
    return counts(scores, span)


def write_scores(lakehouse: Lakehouse, features: DataFrame, model: LoggedModel, span: Span,
                 into: Table = SCORES, kpis: Table = DAILY_KPIS) -> DataFrame:
    """Replace the model's scores of the span by those of these features, and the days' KPIs.

    Returns the scores as they are in the table now.
    """
    on_span = between(span.first, span.last)
    same_model = f"model_version = '{model.version}' AND {on_span}"
    lakehouse.overwrite(into, scored(features, model), same_model)
    scores = lakehouse.read(into).where(same_model)
    transactions = lakehouse.read(TRANSACTIONS).where(on_span)
    lakehouse.overwrite(kpis, daily_kpis(transactions, scores),
                        f"day >= DATE'{span.first}' AND day <= DATE'{span.last}'")
    return scores


def counts(scores: DataFrame, span: Span) -> dict[str, int]:
    """What a step that scored the span reports."""
    return {"rows": scores.count(), "alerts": scores.where("is_alert").count(), "days": span.count}


def _log(lakehouse: Lakehouse, features: DataFrame, scores: DataFrame, model: LoggedModel,
         on_span: str, settings: Settings) -> None:
    """Add the scored rows to the inference log; a row without a score was refused."""
    rows = features.join(scores.drop("event_time", "customer_id"), "transaction_id", "left")
    origin = Origin("batch", NAME, model.version, version_now(settings.label_delay_days))
    log_batch(lakehouse, rows.withColumn("outcome", outcome(Guarded(model).rules)), origin,
              "transaction_id", ("customer_id", "terminal_id"), model.inputs, on_span,
              settings.hash_ids.key if settings.hash_ids else None)


def outcome(rules: Sequence[Rule]) -> Column:
    """What became of a row of gold.scores, null if refused, by the guardrails that fired."""
    overrides = F.array(*(F.lit(rule.name) for rule in rules if rule.action == "override"))
    is_overridden = F.arrays_overlap(F.split("guardrails", ","), overrides.cast("array<string>"))
    return (F.when(F.col("score").isNull(), "refused")
            .when(F.col("guardrails").isNull(), "scored")
            .when(is_overridden, "overridden").otherwise("flagged"))


step = Step("predict", run, reads=(TRANSACTIONS, FEATURES), writes=(SCORES, DAILY_KPIS))
