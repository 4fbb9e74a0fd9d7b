"""Step 5: a model from the training days' features, logged with all that scoring needs."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from sklearn.base import clone
from sklearn.model_selection import GroupShuffleSplit, RandomizedSearchCV
from sklearn.pipeline import Pipeline

from branchline import BadInput, Lakehouse, Step
from fraud_detection.data.days import Span, between, run_days
from fraud_detection.model.estimators import METADATA, SEARCH_SPACES, estimator, inputs
from fraud_detection.scoring.guarded import noted
from fraud_detection.scoring.reasons import usual
from fraud_detection.settings import Settings
from fraud_detection.tables import FEATURES, TRANSACTIONS

__all__ = ["best_threshold", "fit", "golden", "labelled", "run", "step"]

HELD_OUT = 1 / 3


def labelled(features: DataFrame, days: Span) -> pd.DataFrame:
    """The days' labelled rows, in a fixed order, because the fit depends on it."""
    rows: pd.DataFrame = (features.where(between(days.first, days.last))
                          .where("is_fraud IS NOT NULL").drop("event_time", "terminal_id")
                          .toArrow().to_pandas())
    return rows.sort_values("transaction_id", ignore_index=True)


def fit(rows: pd.DataFrame, settings: Settings) -> tuple[Pipeline, pd.DataFrame]:
    """The fitted model, and held-out customers' rows scored by a model that never saw them.

    Args:
        rows: labelled features: the model's inputs, `customer_id`, `amount`, `is_fraud`.

    Returns:
        The model fitted on all rows; a frame with `score`, `amount`, `is_fraud`, from the same kind
        of model fitted without these customers: for choosing a threshold.
    """
    columns = inputs(settings.model, settings.features)
    model = estimator(settings.model, columns, settings.class_weight, settings.seed)
    split = GroupShuffleSplit(n_splits=1, test_size=HELD_OUT, random_state=settings.seed)
    kept, held_out = next(split.split(rows, groups=rows["customer_id"]))
    if settings.search:
        model = _searched(model, rows, columns, (kept, held_out), settings)
    part = clone(model).fit(rows[columns].iloc[kept], rows["is_fraud"].iloc[kept])
    unseen = rows.iloc[held_out][["amount", "is_fraud"]].assign(
        score=part.predict_proba(rows[columns].iloc[held_out])[:, 1])
    return model.fit(rows[columns], rows["is_fraud"]), unseen


def _searched(model: Pipeline, rows: pd.DataFrame, columns: list[str],
              split: tuple[NDArray[np.int64], NDArray[np.int64]], settings: Settings) -> Pipeline:
    step = model.steps[-1][0]
    space = {f"{step}__{name}": values for name, values in SEARCH_SPACES[settings.model].items()}
    search = RandomizedSearchCV(model, space, n_iter=settings.search, scoring="average_precision",
                                cv=[split], refit=False, random_state=settings.seed)
    search.fit(rows[columns], rows["is_fraud"])
    return clone(model).set_params(**search.best_params_)


def best_threshold(unseen: pd.DataFrame, alert_cost: float) -> float:
    """The threshold that pays best: fraud amount caught minus the cost of alerts."""
    ordered = unseen.sort_values("score", ascending=False, kind="stable")
    gain = (ordered["amount"] * ordered["is_fraud"] - alert_cost).cumsum().to_numpy()
    score = ordered["score"].to_numpy()
    last_of_score = np.append(score[1:] != score[:-1], True)
    best = int(np.argmax(np.where(last_of_score, gain, -np.inf)))
    return float(score[best])


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Fit and log the model of the run's training days; counts: `rows`, `frauds`, `features`.

    Raises:
        BadInput: the training days have no fraud, or only fraud.
    """
    days = run_days(lakehouse.read(TRANSACTIONS), settings).train
    versions = {table.name: lakehouse.version(table) for table in (TRANSACTIONS, FEATURES)}
    rows = labelled(lakehouse.read(FEATURES, versions[FEATURES.name]), days)
    frauds = int(rows["is_fraud"].sum())
    if not 0 < frauds < len(rows):
        raise BadInput(f"gold.features has {len(rows):,} labelled rows on {days}, {frauds:,} of "
                       "them fraud; a model needs both kinds. Run featurize for these days, or "
                       "choose others with test_start and train_days.")
    settings.guardrails.check(inputs(settings.model, settings.features))
    model, unseen = fit(rows, settings)
    _log(model, unseen, rows, days, versions, settings)
    return {"rows": len(rows), "frauds": frauds, "features": len(model.feature_names_in_)}


def _log(model: Pipeline, unseen: pd.DataFrame, rows: pd.DataFrame, days: Span,
         versions: dict[str, int], settings: Settings) -> None:
    import mlflow
    example = rows[model.feature_names_in_].head(5)
    notes: dict[str, Any] = {
        "threshold": best_threshold(unseen, settings.alert_cost),
        "train_first": str(days.first), "train_last": str(days.last),
        "label_delay_days": settings.label_delay_days, "golden": golden(model, example),
        "table_versions": versions, **noted(settings.guardrails, rows[model.feature_names_in_]),
        **usual(rows[model.feature_names_in_], rows["is_fraud"]),
        **_score_shares(unseen["score"].to_numpy())}
    mlflow.log_metric("threshold", notes["threshold"])
    mlflow.log_params({f"model.{key.rpartition('__')[2]}": value
                       for key, value in model.steps[-1][1].get_params().items()})
    mlflow.set_tags({f"table.{name}": number for name, number in versions.items()})
    mlflow.sklearn.log_model(
        model, name="model", input_example=example, pyfunc_predict_fn="predict_proba",
        signature=mlflow.models.infer_signature(example, model.predict_proba(example)),
        metadata=METADATA.written(notes),
        serialization_format="cloudpickle",  # the runtimes' MLflow has no skops
        pip_requirements=[f"mlflow=={mlflow.__version__}", *(
            f"{name}=={version(name)}"
            for name in ("scikit-learn", "pandas", "numpy", "cloudpickle"))])


def golden(model: Pipeline, example: pd.DataFrame) -> dict[str, Any]:
    """A row and what is predicted for it: the service checks, before it is ready, that it is so."""
    row = example.head(1)
    return {"rows": row.to_numpy(np.float64).tolist(),
            "predicted": model.predict_proba(row).tolist()}


def _score_shares(scores: NDArray[np.float64]) -> dict[str, Any]:
    """Nine edges of the unseen scores and the share in each of the ten bins, for monitor."""
    edges = np.quantile(scores, np.arange(0.1, 1.0, 0.1))
    bins = np.bincount(np.searchsorted(edges, scores, side="left"), minlength=10)
    return {"score_edges": edges.tolist(), "score_shares": (bins / len(scores)).tolist(),
            "score_mean": float(scores.mean())}


step = Step("train", run, reads=(TRANSACTIONS, FEATURES))
