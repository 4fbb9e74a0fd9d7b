"""The model as a web service: features given, or transactions with features from the store."""

from __future__ import annotations

from typing import Any

import numpy as np

from branchline.serving import Golden, Service
from fraud_detection.feature_versions import version_now
from fraud_detection.scoring.guarded import Guarded, Row, rows_of
from fraud_detection.scoring.logged import Floats, LoggedModel, read_model, require_current
from fraud_detection.scoring.online import records_of
from fraud_detection.scoring.stream import NAME

__all__ = ["open_service"]

LABEL_DELAY_DAYS = 7  # of models that do not say it
OUTPUTS = {"score": "FP64", "is_alert": "BOOL", "outlier_score": "FP64", "is_outlier": "BOOL",
           "outcome": "BYTES", "guardrails": "BYTES"}


def open_service(folder: str, store: str | None, degraded: bool = False) -> Service:
    """The service of a model's folder; `store` is a file or redis://HOST, None: no transactions.

    If the store does not answer, a `degraded` service scores a transaction as the first of its
    card and terminal.

    Raises:
        BadInput: the model was not logged by the train step, its inputs were defined otherwise
            than they are now, or the store's filling was cut off.
        Unreachable: the store does not answer.
    """
    model = read_model(folder)
    guarded = Guarded(model, counts_alerts=True)
    golden = model.notes.get("golden")
    days = int(model.notes.get("label_delay_days", LABEL_DELAY_DAYS))
    require_current(model, days)

    def outputs(rows: Floats, predicted: Floats) -> dict[str, list[Any]]:
        found = model.completed(rows, predicted[:, 1])
        return _by_name(rows_of(found, guarded.judge(rows, found)))

    return Service(
        NAME, model.version, tuple(model.inputs), _takes_missing(model), model.probabilities,
        outputs, OUTPUTS, golden["rows"][0] if golden else [1.0] * len(model.inputs),
        Golden(np.array(golden["rows"]), np.array(golden["predicted"])) if golden else None,
        None if store is None else records_of(store, model, guarded, days, degraded),
        version_now(days))


def _takes_missing(model: LoggedModel) -> bool:
    try:
        return bool(np.isfinite(model.probabilities(np.full((1, len(model.inputs)), np.nan))).all())
    except ValueError:
        return False


def _by_name(rows: list[Row]) -> dict[str, list[Any]]:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in OUTPUTS]
    found = dict(zip(OUTPUTS, columns, strict=True))
    return found | {"guardrails": [",".join(each) for each in found["guardrails"]]}
