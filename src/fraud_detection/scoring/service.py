"""The model as a web service: features given, or transactions with features from the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from branchline import BadInput
from branchline.features.online import OnlineFeatures, open_store
from branchline.serving import Golden, Records, Service
from branchline.serving.logged import read_logged
from fraud_detection.features import definitions
from fraud_detection.scoring.artifact import read_parts
from fraud_detection.scoring.logged import METADATA, LoggedModel
from fraud_detection.scoring.score import Score, Scoring
from fraud_detection.scoring.transactions import EXAMPLE, events_of

__all__ = ["open_service"]

NAME = "fraud"
LABEL_DELAY_DAYS = 7  # of models that do not say it


def open_service(folder: str, store: str | None) -> Service:
    """The service of a model's folder; `store` is a file or redis://HOST, None: no transactions.

    Raises:
        BadInput: the model was not logged by the train step, or the store's filling was cut off.
        Unreachable: the store does not answer.
    """
    logged = read_logged(Path(folder))
    notes = METADATA.read(logged.metadata, f"model {folder}")
    if "threshold" not in notes:
        raise BadInput(f"model {folder}: has no threshold; expected one that this project's train "
                       "step logged.")
    model = LoggedModel(logged.version, logged.model, list(logged.inputs), notes,
                        read_parts(Path(folder)))
    golden = notes.get("golden")
    example = golden["rows"][0] if golden else [1.0] * len(logged.inputs)
    return Service(
        NAME, model.version, logged.inputs, _takes_missing(model), model.probabilities,
        lambda found: {"score": found[:, 1], "is_alert": found[:, 1] >= model.threshold},
        {"score": "FP64", "is_alert": "BOOL"}, example,
        Golden(np.array(golden["rows"]), np.array(golden["predicted"])) if golden else None,
        None if store is None else _records(store, model))


def _takes_missing(model: LoggedModel) -> bool:
    try:
        return bool(np.isfinite(model.probabilities(np.full((1, len(model.inputs)), np.nan))).all())
    except ValueError:
        return False


def _records(address: str, model: LoggedModel) -> Records:
    store = open_store(address)
    days = int(model.notes.get("label_delay_days", LABEL_DELAY_DAYS))
    scoring = Scoring(OnlineFeatures(store, definitions("full", days)), model)

    def answer(records: Sequence[Any], with_features: bool) -> list[dict[str, Any]]:
        inputs = model.inputs if with_features else None
        return [_as_answer(each, inputs) for each in scoring.score(events_of(records))]

    def check() -> None:
        store.read(["customer_id/0"])

    return Records("/score", "transactions", answer, check, EXAMPLE)


def _as_answer(each: Score, inputs: Sequence[str] | None) -> dict[str, Any]:
    """`score` is null for a transaction that came too late for its features."""
    said = {"transaction_id": each.event.id, "score": each.score, "is_alert": each.is_alert,
            "outlier_score": each.outlier_score, "is_outlier": each.is_outlier}
    if inputs is None:
        return said
    found = each.features
    return said | {"features": found and {name: found[name] for name in inputs}}
