"""Small finished runs in an MLflow store, with or without a model."""

from __future__ import annotations

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from branchline.runs.tracking import Tracking


def experiment(store: str, folder: Path) -> tuple[Tracking, str]:
    """The store, and an experiment that is named after the test's folder."""
    tracking = Tracking(store, folder / "artifacts")
    return tracking, tracking.experiment(str(folder))


def finished(experiment_id: str, *, entry_point: str = "main", status: str = "FINISHED",
             with_model: bool = False, tags: dict[str, str] | None = None,
             **metrics: float) -> str:
    """The id of a new run that has ended."""
    named = {"mlflow.project.entryPoint": entry_point, **(tags or {})}
    with mlflow.start_run(experiment_id=experiment_id, tags=named) as run:
        mlflow.log_metrics(metrics)
        if with_model:
            table = pd.DataFrame({"amount": np.arange(10.)})
            model = LogisticRegression().fit(table, [0, 1] * 5)
            mlflow.sklearn.log_model(
                model, name="model", serialization_format="cloudpickle", pip_requirements=[],
                signature=mlflow.models.infer_signature(table, model.predict(table)))
    if status != "FINISHED":
        mlflow.MlflowClient().set_terminated(run.info.run_id, status)
    return str(run.info.run_id)
