"""What an MLflow client does with a workspace, as a process of its own; prints JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import mlflow
import numpy
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression


def refusal(action: Callable[[], object]) -> str:
    """The error code that the action meets."""
    try:
        action()
    except MlflowException as problem:
        return str(problem.error_code)
    return ""


def logged(experiment: str) -> dict[str, Any]:
    """A run with a bit of everything, and what is read back of it."""
    found = mlflow.set_experiment(experiment)
    client = mlflow.MlflowClient()
    model = LogisticRegression().fit(numpy.array([[0.0], [1.0]]), [0, 1])
    with mlflow.start_run() as run:
        mlflow.log_param("depth", 3)
        mlflow.log_metric("auc", 0.5)
        mlflow.set_tag("branch", "a/b")
        mlflow.log_text("hello", "notes/hello.txt")
        info = mlflow.sklearn.log_model(model, name="model", skops_trusted_types=[])
    data = client.get_run(run.info.run_id).data
    return {
        "tags": found.tags, "id": found.experiment_id, "artifact_uri": run.info.artifact_uri,
        "model_uri": info.artifact_path,
        "data": [data.params, data.metrics, data.tags["branch"]],
        "artifacts": [file.path for file in client.list_artifacts(run.info.run_id, "notes")],
        "text": mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notes/hello.txt"),
        "loaded": [type(mlflow.sklearn.load_model(uri)).__name__ for uri in (
            f"models:/{info.model_id}", f"runs:/{run.info.run_id}/model")]}


def main(home: str) -> dict[str, Any]:
    return {
        "no parent": refusal(lambda: mlflow.create_experiment(f"{home}/none/e")),
        "no path": refusal(lambda: mlflow.create_experiment("plain")),
        "prefixed": refusal(lambda: mlflow.create_experiment(f"/Workspace{home}/prefixed")),
        "prefixed again": refusal(lambda: mlflow.create_experiment(f"{home}/prefixed")),
        "prefix is found": mlflow.get_experiment_by_name(f"/Workspace{home}/prefixed") is not None,
        **logged(f"{home}/experiment")}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
