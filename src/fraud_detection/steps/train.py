"""Step 5: three models from the training days' features, logged together as one version.

The classifier with calibrated scores, the outlier model, the drift reference.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame

from branchline import BadInput, Lakehouse, Step
from fraud_detection.data.days import Span, between, run_days
from fraud_detection.feature_versions import DEFINITIONS, noted
from fraud_detection.model.estimators import inputs
from fraud_detection.model.training import Trained, best_threshold, fit, train
from fraud_detection.scoring import artifact
from fraud_detection.scoring.logged import METADATA
from fraud_detection.settings import Settings
from fraud_detection.tables import FEATURES, TRANSACTIONS

__all__ = ["best_threshold", "fit", "labelled", "run", "step"]

LIBRARIES = ("scikit-learn", "pandas", "numpy", "cloudpickle")


def labelled(features: DataFrame, days: Span) -> pd.DataFrame:
    """The days' labelled rows, in a fixed order, because the fit depends on it."""
    rows: pd.DataFrame = (features.where(between(days.first, days.last))
                          .where("is_fraud IS NOT NULL").drop("event_time", "terminal_id")
                          .toArrow().to_pandas())
    return rows.sort_values("transaction_id", ignore_index=True)


def run(lakehouse: Lakehouse, settings: Settings) -> dict[str, int]:
    """Fit and log the models of the run's training days; counts: `rows`, `frauds`, `features`.

    Raises:
        BadInput: the training days have no fraud, only fraud, or too few cards with fraud.
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
    trained = train(rows, settings)
    _log(trained, {"train_first": str(days.first), "train_last": str(days.last),
                   "table_versions": versions,
                   **noted(set(rows[DEFINITIONS]), trained.example.columns.to_list(),
                           settings.label_delay_days, f"gold.features on {days}")})
    return {"rows": len(rows), "frauds": frauds, "features": trained.example.shape[1]}


def _log(trained: Trained, made_from: dict[str, Any]) -> None:
    import mlflow
    mlflow.log_metric("threshold", trained.notes["threshold"])
    mlflow.log_params({f"model.{key.rpartition('__')[2]}": value for key, value in
                       trained.classifier.estimator.steps[-1][1].get_params().items()})
    form = trained.notes["form"]
    mlflow.set_tags({"model.form": f"{form['form']}: {form['reason']}", **{
        f"table.{name}": number for name, number in made_from["table_versions"].items()}})
    mlflow.models.Model.log(
        None, artifact, name="model", metadata=METADATA.written({**trained.notes, **made_from}),
        pip_requirements=[f"mlflow=={mlflow.__version__}", *(
            f"{name}=={version(name)}"
            for name in (*LIBRARIES, *(["onnxruntime"] if trained.parts.fast else [])))],
        **trained.about)


step = Step("train", run, reads=(TRANSACTIONS, FEATURES))
