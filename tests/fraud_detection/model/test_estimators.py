"""A logged model's metadata: as train writes it now, as older ones did, and newer ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from branchline import BadInput
from fraud_detection.scoring.logged import METADATA, find_model

# As train logged it before it had a format.
SAMPLE = json.loads((Path(__file__).parent / "samples" / "metadata.json").read_text())


def logged(metadata: dict[str, Any]) -> str:
    """The address of a model that is logged with this metadata in the active run."""
    rows = pd.DataFrame({"amount": [1.0, 2.0]})
    model = LogisticRegression().fit(rows, [0, 1])
    return str(mlflow.sklearn.log_model(
        model, name="model", metadata=metadata, pip_requirements=[],
        serialization_format="cloudpickle",
        signature=mlflow.models.infer_signature(rows, model.predict_proba(rows))).model_uri)


@pytest.mark.parametrize("metadata", [SAMPLE, METADATA.written(SAMPLE)])
def test_a_model_is_found_with_or_without_a_format(run: Any, metadata: dict[str, Any]) -> None:
    found = find_model(logged(metadata))
    assert found.notes == SAMPLE and found.threshold == 0.25


def test_a_model_of_a_newer_train_step_says_what_to_upgrade(run: Any) -> None:
    with pytest.raises(BadInput, match="found format model/2; .* upgrade fraud_detection"):
        find_model(logged({"format": "model/2"}))


def test_a_model_that_train_did_not_log_is_refused(run: Any) -> None:
    with pytest.raises(BadInput, match="was not logged by this project's train step"):
        find_model(logged({"by": "hand"}))
