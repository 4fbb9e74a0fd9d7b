"""The scoring object: a logged model version, which batch, stream and service call alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from branchline import BadInput, Format
from branchline.serving.logged import read_logged
from branchline.text import collapsed
from fraud_detection.feature_versions import require_same, version_now
from fraud_detection.model.fast import SKLEARN
from fraud_detection.model.outliers import outlier_scores
from fraud_detection.scoring.artifact import Parts, read_parts

__all__ = ["METADATA", "Floats", "LoggedModel", "Scored", "find_current", "find_model",
           "read_model", "require_current"]

METADATA = Format("model", 1, reader="fraud_detection")  # of train's metadata
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


class Scored(NamedTuple):
    """Columns, one element a row: the probability of fraud and whether that is an alert, how
    unusual the row is and whether that is an outlier (NaN and False without an outlier model)."""

    score: Floats
    alert: Flags
    outlier_score: Floats
    outlier: Flags

    @classmethod
    def of(cls, score: Floats, threshold: float, outlier_score: Floats | None = None,
           outlier_threshold: float = np.inf) -> Scored:
        unusual = np.full(len(score), np.nan) if outlier_score is None else outlier_score
        return cls(score, score >= threshold, unusual, unusual >= outlier_threshold)


@dataclass(frozen=True)
class LoggedModel:
    """A model as MLflow keeps it: its id or registry version, inputs, threshold, training days.

    `notes` is the metadata that `train` logged with it.
    """

    version: str
    pipeline: Any
    inputs: list[str]
    notes: dict[str, Any]
    parts: Parts = field(default_factory=Parts)

    @property
    def threshold(self) -> float:
        return float(self.notes["threshold"])

    @property
    def outlier_threshold(self) -> float:
        return float(self.notes.get("outlier_threshold", np.inf))

    @property
    def form(self) -> str:
        """What this version scores with, `onnx` or `scikit-learn`, and why."""
        form = self.notes.get("form", {"form": SKLEARN, "reason": "no other form was made"})
        return f"{form['form']}: {form['reason']}"

    def __call__(self, features: pd.DataFrame | Floats) -> Scored:
        """The scores of rows: a frame with the inputs among its columns, or rows x inputs.

        Any number of rows gives the same scores to the bit, so batch, stream and service agree.
        """
        rows = (features[self.inputs].to_numpy(np.float64) if isinstance(features, pd.DataFrame)
                else features)
        return self.completed(rows, self.probabilities(rows)[:, 1])

    def completed(self, rows: Floats, score: Floats) -> Scored:
        """The other columns beside the score of rows x inputs."""
        outlier = None if self.parts.outliers is None else self.outlier_scores(rows)
        return Scored.of(score, self.threshold, outlier, self.outlier_threshold)

    def score(self, features: pd.DataFrame) -> Floats:
        """The fraud score of each row alone."""
        return self.probabilities(features[self.inputs].to_numpy(np.float64))[:, 1]

    def probabilities(self, rows: Floats) -> Floats:
        """The probabilities of genuine and of fraud, for rows x inputs."""
        if self.parts.fast:
            fraud = self.parts.fast.classifier(rows)
            return np.column_stack([1 - fraud, fraud])
        found: Floats = self.pipeline.predict_proba(pd.DataFrame(rows, columns=self.inputs))
        return found

    def outlier_scores(self, rows: Floats) -> Floats:
        """How unusual each row is, 0 to 1, for rows x inputs."""
        return (self.parts.fast.outliers(rows) if self.parts.fast else
                outlier_scores(self.parts.outliers, rows))


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
        folder = mlflow.artifacts.download_artifacts(artifact_uri=address)
        info = mlflow.models.Model.load(folder)
        pipeline = mlflow.sklearn.load_model(folder)
    except (MlflowException, OSError) as problem:
        raise BadInput(f"model {address}: cannot be loaded: {collapsed(problem)}"
                       ) from None
    notes = METADATA.read(info.metadata or {}, f"model {address}")
    if "threshold" not in notes or info.signature is None:
        raise BadInput(f"model {address}: was not logged by this project's train step; expected "
                       "a signature and a threshold.")
    registered = address.removeprefix("models:/") if info.model_id is None else info.model_id
    return LoggedModel(registered, pipeline, info.signature.inputs.input_names(), notes,
                       read_parts(Path(folder)))


def read_model(folder: str) -> LoggedModel:
    """The model in a folder, as `find_model` has it, without MLflow.

    Raises:
        BadInput: it was not logged by this project's train step.
        RunFailed: it cannot be loaded with the packages that are here.
    """
    logged = read_logged(Path(folder))
    notes = METADATA.read(logged.metadata, f"model {folder}")
    if "threshold" not in notes:
        raise BadInput(f"model {folder}: has no threshold; expected one that this project's train "
                       "step logged.")
    return LoggedModel(logged.version, logged.model, list(logged.inputs), notes,
                       read_parts(Path(folder)))


def find_current(uri: str, label_delay: int) -> LoggedModel:
    """The model at an MLflow address or in a folder, to score features that this code computes.

    Raises:
        BadInput: as `find_model`, or its inputs were defined otherwise than they are now.
    """
    model = read_model(uri) if Path(uri, "MLmodel").is_file() else find_model(uri)
    require_current(model, label_delay)
    return model


def require_current(model: LoggedModel, label_delay: int) -> None:
    """
    Raises:
        BadInput: the model's inputs were defined otherwise than this code defines them.
    """
    require_same(model.version, model.notes, [version_now(label_delay)], label_delay, "this code")


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
