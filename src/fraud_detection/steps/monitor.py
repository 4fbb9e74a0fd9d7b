"""Step 8: how far a span of days moved from the model's training days, as a table and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame, functions as F

from branchline import BadInput, Lakehouse, Step
from branchline.monitoring.distances import psi
from fraud_detection.data.days import Span, between, run_days
from fraud_detection.plots import monitor as pictures
from fraud_detection.scoring.logged import LoggedModel, find_model
from fraud_detection.settings import Settings
from fraud_detection.tables import DAILY_KPIS, FEATURES, MONITORING, SCORES, TRANSACTIONS

__all__ = ["comparison", "run", "shares", "step"]

DECILES = [tenth / 10 for tenth in range(1, 10)]


def shares(rows: DataFrame, edges: dict[str, Sequence[float]]) -> dict[str, NDArray[np.float64]]:
    """For each column, the share of rows in each bin between its edges (upper edge included)."""
    above = [F.avg((F.col(name) > edge).cast("double")).alias(f"{name}|{at}")
             for name, column in edges.items() for at, edge in enumerate(column)]
    found = rows.agg(*above).first()
    assert found is not None
    return {name: -np.diff([1.0, *(found[f"{name}|{at}"] for at in range(len(column))), 0.0])
            for name, column in edges.items()}


def _edges(rows: DataFrame, columns: list[str]) -> dict[str, Sequence[float]]:
    """The deciles of each column, without duplicates."""
    found = rows.agg(*(F.percentile_approx(name, DECILES).alias(name) for name in columns)).first()
    assert found is not None
    return {name: sorted(set(found[name])) for name in columns}


def _means(rows: DataFrame, columns: list[str]) -> dict[str, float]:
    found = rows.agg(*(F.avg(name).alias(name) for name in columns)).first()
    assert found is not None
    return {name: float(found[name]) for name in columns}


def comparison(reference: DataFrame, present: DataFrame, columns: list[str]) -> pd.DataFrame:
    """One row per column: `column`, `psi`, `reference_mean`, `mean`."""
    edges = _edges(reference, columns)
    before, now = shares(reference, edges), shares(present, edges)
    mean_before, mean_now = _means(reference, columns), _means(present, columns)
    return pd.DataFrame({
        "column": columns, "psi": [psi(before[name], now[name]) for name in columns],
        "reference_mean": [mean_before[name] for name in columns],
        "mean": [mean_now[name] for name in columns]})


def _score_row(scores: DataFrame, model: LoggedModel) -> pd.DataFrame:
    """The scores, compared with those of unseen rows in training."""
    edges, before = model.notes["score_edges"], np.array(model.notes["score_shares"])
    now = shares(scores, {"score": edges})["score"]
    return pd.DataFrame({"column": ["score"], "psi": [psi(before, now)],
                         "reference_mean": [model.notes["score_mean"]],
                         "mean": [_means(scores, ["score"])["score"]]})


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Compare the run's days with the model's training days; counts: `rows`, `columns`, `moved`.

    Raises:
        BadInput: features of the training days, or scores of the run's days, are missing.
    """
    model = find_model(settings.model_uri)
    span = run_days(lakehouse.read(TRANSACTIONS), settings).scored
    training = Span(date.fromisoformat(model.notes["train_first"]),
                    date.fromisoformat(model.notes["train_last"]))
    features = lakehouse.read(FEATURES)
    reference = features.where(between(training.first, training.last))
    present = features.where(between(span.first, span.last))
    scores = lakehouse.read(SCORES).where(f"model_version = '{model.version}'").where(
        between(span.first, span.last))
    for name, rows, days in (("gold.features", reference, training),
                             ("gold.features", present, span), ("gold.scores", scores, span)):
        if rows.limit(1).count() == 0:
            raise BadInput(f"{name} has no rows on {days} for model {model.version}; run featurize "
                           "and predict for these days first.")
    table = pd.concat([comparison(reference, present, model.inputs), _score_row(scores, model)],
                      ignore_index=True)
    _keep(lakehouse, table, span, model)
    _show(lakehouse, table, Span(training.first, span.last))
    return {"rows": present.count(), "columns": len(table),
            "moved": int((table["psi"] > pictures.MOVED_FAR).sum())}


def _keep(lakehouse: Lakehouse, table: pd.DataFrame, span: Span, model: LoggedModel) -> None:
    rows = lakehouse.spark.createDataFrame(table).withColumns({
        "start": F.lit(span.first), "days": F.lit(span.count),
        "model_version": F.lit(model.version)})
    lakehouse.overwrite(MONITORING, rows, f"start = DATE'{span.first}' AND days = {span.count} "
                                          f"AND model_version = '{model.version}'")


def _show(lakehouse: Lakehouse, table: pd.DataFrame, span: Span) -> None:
    import mlflow
    kpis = (lakehouse.read(DAILY_KPIS).where(f"day BETWEEN DATE'{span.first}' AND '{span.last}'")
            .orderBy("day").toArrow().to_pandas())
    kpis["fraud_rate"] = kpis["frauds"] / kpis["transactions"]
    mlflow.log_figure(pictures.psi(table), "monitor/psi.png")
    mlflow.log_figure(pictures.by_day(kpis), "monitor/by_day.png")
    mlflow.log_text(table.to_csv(index=False), "monitor/psi.csv")
    score = table.set_index("column")["psi"]
    mlflow.log_metrics({"monitor/psi_score": float(score["score"]),
                        "monitor/psi_largest": float(score.drop("score").max())})


step = Step("monitor", run, reads=(TRANSACTIONS, FEATURES, SCORES, DAILY_KPIS),
            writes=(MONITORING,))
