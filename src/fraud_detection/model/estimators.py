"""Models: the estimators to choose from, and a logged one with what scoring needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from branchline import BadInput, Format
from branchline.text import collapsed
from fraud_detection.features import names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["METADATA", "SEARCH_SPACES", "LoggedModel", "estimator", "find_model", "inputs"]

METADATA = Format("model", 1, reader="fraud_detection")  # of train's metadata

# Chosen together with the hyperparameters below, on weeks before any published test day. More
# columns order the unsuspicious transactions by chance.
BOOSTING_INPUTS = ["amount", "amount_to_mean_30d", "amount_to_usual", "customer_max_ratio_7d",
                   "customer_max_ratio_14d", "customer_mean_squared_ratio_7d",
                   "customer_mean_squared_ratio_14d", "terminal_fraud_run",
                   "terminal_days_since_genuine", "terminal_days_since_run_start"]
MORE_IS_NEVER_LESS_SUSPICIOUS = ("amount", "amount_to_mean_30d", "amount_to_usual")

SEARCH_SPACES: dict[str, dict[str, list[Any]]] = {
    "hist_gradient_boosting": {
        "learning_rate": [0.02, 0.05, 0.1], "max_iter": [100, 200, 400],
        "max_leaf_nodes": [7, 15, 31], "min_samples_leaf": [30, 100, 300],
        "l2_regularization": [0.0, 1.0, 5.0, 20.0]},
    "logistic_regression": {"C": [0.001, 0.01, 0.1, 1.0, 10.0]},
    "random_forest": {"n_estimators": [100, 200], "max_depth": [8, 12, 20, None],
                      "min_samples_leaf": [1, 5, 20], "max_features": ["sqrt", 0.5]},
}


def inputs(model: str, features: str) -> list[str]:
    """The columns that a model uses: a whole set, or the useful ones of the full set."""
    boosting = model == "hist_gradient_boosting"
    return list(BOOSTING_INPUTS) if boosting and features == "full" else names(features)


def estimator(name: str, columns: Sequence[str], class_weight: str, seed: int) -> Pipeline:
    """A new, unfitted model of these columns: a pipeline whose last step is the classifier.

    Raises:
        BadInput: no such model.
    """
    weight = "balanced" if class_weight == "balanced" else None
    if name == "hist_gradient_boosting":
        rising = dict.fromkeys((each for each in MORE_IS_NEVER_LESS_SUSPICIOUS if each in columns),
                               1)
        return make_pipeline(HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=200, max_leaf_nodes=15, min_samples_leaf=100,
            l2_regularization=5.0, early_stopping=False, monotonic_cst=rising, class_weight=weight,
            random_state=seed))
    if name == "logistic_regression":
        return make_pipeline(StandardScaler(), LogisticRegression(
            max_iter=1000, class_weight=weight, random_state=seed))
    if name == "random_forest":
        return make_pipeline(RandomForestClassifier(
            n_estimators=100, max_depth=12, min_samples_leaf=5, class_weight=weight, n_jobs=-1,
            random_state=seed))
    raise BadInput(f"model {name!r} is unknown; expected one of {', '.join(SEARCH_SPACES)}.")


@dataclass(frozen=True)
class LoggedModel:
    """A model as MLflow keeps it: its id or registry version, inputs, threshold, training days.

    `notes` is the metadata that `train` logged with it.
    """

    version: str
    pipeline: Pipeline
    inputs: list[str]
    notes: dict[str, Any]

    @property
    def threshold(self) -> float:
        return float(self.notes["threshold"])

    def score(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """The fraud score of each row, 0 to 1."""
        scores: NDArray[np.float64] = self.pipeline.predict_proba(features[self.inputs])[:, 1]
        return scores


def find_model(uri: str | None) -> LoggedModel:
    """The model at an MLflow address; None: the one of this run, else the experiment's newest.

    Raises:
        BadInput: there is no such model, or it was not logged by this version's or an older
            `train`.
    """
    import mlflow
    from mlflow.exceptions import MlflowException
    address = uri or _newest()
    try:
        info = mlflow.models.Model.load(address)
        pipeline = mlflow.sklearn.load_model(address)
    except MlflowException as problem:
        raise BadInput(f"model {address}: cannot be loaded: {collapsed(problem)}"
                       ) from None
    notes = METADATA.read(info.metadata or {}, f"model {address}")
    if "threshold" not in notes or info.signature is None:
        raise BadInput(f"model {address}: was not logged by this project's train step; expected "
                       "a signature and a threshold.")
    registered = address.removeprefix("models:/") if info.model_id is None else info.model_id
    return LoggedModel(registered, pipeline, info.signature.inputs.input_names(), notes)


def _newest() -> str:
    import mlflow
    run = mlflow.active_run()
    if run is None:
        raise BadInput("no MLflow run is active; pass -P model_uri=models:/...")
    for condition in (f"name = 'model' AND source_run_id = '{run.info.run_id}'", "name = 'model'"):
        models = mlflow.search_logged_models(
            experiment_ids=[run.info.experiment_id], filter_string=condition, max_results=1,
            order_by=[{"field_name": "creation_timestamp", "ascending": False}],
            output_format="list")
        if models:
            return f"models:/{models[0].model_id}"
    raise BadInput("the experiment has no logged model yet; run the train step first, or pass "
                   "-P model_uri=models:/...")
