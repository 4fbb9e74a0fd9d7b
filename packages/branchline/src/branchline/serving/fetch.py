"""Copies a model's folder from MLflow, in a process of its own: ADDRESS, STORE, TO."""

from __future__ import annotations

import sys

__all__: list[str] = []


def _main(address: str, tracking: str, to: str) -> None:
    import mlflow
    mlflow.set_tracking_uri(tracking)
    found = _newest() if address == "newest" else address
    print(mlflow.artifacts.download_artifacts(found, dst_path=to))


def _newest() -> str:
    import mlflow
    experiments = [each.experiment_id for each in mlflow.search_experiments()]
    models = mlflow.search_logged_models(
        experiment_ids=experiments, filter_string="name = 'model'", max_results=1,
        order_by=[{"field_name": "creation_timestamp", "ascending": False}], output_format="list")
    if not models:
        sys.exit("no run has logged a model yet; run the train step first.")
    return f"models:/{models[0].model_id}"


if __name__ == "__main__":
    _main(*sys.argv[1:])
