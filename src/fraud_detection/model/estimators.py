"""The estimators to choose from, with their inputs and hyperparameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from branchline import BadInput
from fraud_detection.features import names

__all__ = ["SEARCH_SPACES", "estimator", "inputs"]

# Chosen together with the hyperparameters below, on weeks before any published test day: the
# first ten find the suspicious transactions, the others order the unsuspicious ones.
BOOSTING_INPUTS = ["amount", "amount_to_mean_30d", "amount_to_usual", "customer_max_ratio_7d",
                   "customer_max_ratio_14d", "customer_mean_squared_ratio_7d",
                   "customer_mean_squared_ratio_14d", "terminal_fraud_run",
                   "terminal_days_since_genuine", "terminal_days_since_run_start",
                   "terminal_days_since_fraud", "terminal_days_since_first_fraud",
                   "terminal_fraud_rate_7d", "terminal_fraud_rate_30d", "terminal_count_30d",
                   "customer_count_7d"]
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
