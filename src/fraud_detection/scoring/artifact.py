"""A model version's files: MLflow's, and beside them outlier model, drift reference, fast form."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from branchline import BadInput
from branchline.monitoring.reference import Column, from_record, to_record
from fraud_detection.model.fast import Fast, Graph

__all__ = ["Parts", "read_parts", "save_model"]

OUTLIERS, REFERENCE = "outliers.pkl", "drift.json"
FAST = ("classifier.onnx", "outliers.onnx")


@dataclass(frozen=True)
class Parts:
    """What a model version has besides its classifier; a version of an older `train` has none.

    `fast` is there only if it was admitted: then every way of scoring uses it.
    """

    outliers: Any = None
    reference: Mapping[str, Column] = field(default_factory=dict)
    fast: Fast | None = None


def save_model(path: str, mlflow_model: Any = None, *, classifier: Any, parts: Parts,
               **about: Any) -> None:
    """Write the folder of a model version; `about` is for `mlflow.sklearn.save_model`.

    With this function the module is a flavour that `mlflow.models.Model.log` can log.
    """
    import mlflow
    mlflow.sklearn.save_model(
        classifier, path, mlflow_model=mlflow_model, pyfunc_predict_fn="predict_proba",
        serialization_format="cloudpickle", **about)  # the runtimes' MLflow has no skops
    folder = Path(path)
    (folder / OUTLIERS).write_bytes(pickle.dumps(parts.outliers))
    (folder / REFERENCE).write_text(
        json.dumps(to_record(parts.reference), indent=1, allow_nan=False), encoding="utf-8")
    if parts.fast:
        for name, graph in zip(FAST, (parts.fast.classifier, parts.fast.outliers), strict=True):
            (folder / name).write_bytes(graph.content)


def read_parts(folder: Path) -> Parts:
    """The parts in a model version's folder. The pickle is code, as is the classifier's.

    Raises:
        BadInput: a newer `train` wrote them, or the version scores with onnxruntime, which is not
            installed.
    """
    if not (folder / REFERENCE).is_file():
        return Parts()
    content = json.loads((folder / REFERENCE).read_text(encoding="utf-8"))
    return Parts(pickle.loads((folder / OUTLIERS).read_bytes()),
                 from_record(content, str(folder / REFERENCE)), _fast(folder))


def _fast(folder: Path) -> Fast | None:
    if not (folder / FAST[0]).is_file():
        return None
    if find_spec("onnxruntime") is None:
        raise BadInput(f"model {folder.name}: scores with onnxruntime, which is not installed in "
                       "this environment; install it (extra `onnx`).")
    return Fast(*(Graph((folder / name).read_bytes()) for name in FAST))
