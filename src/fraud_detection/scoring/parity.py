"""Batch's side of the parity check: features of silver, scores of the logged models."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pyarrow as pa

from branchline import BadInput
from branchline.features.arrow import EventColumns, with_features
from branchline.features.kernel import Floats
from branchline.parity import Recomputed
from fraud_detection.feature_versions import version_now
from fraud_detection.features import calendar, definitions, kept, names
from fraud_detection.scoring.guarded import Guarded, Model
from fraud_detection.scoring.logged import find_model
from fraud_detection.scoring.messages import LABEL

__all__ = ["COLUMNS", "batch_features", "recomputed"]

COLUMNS = EventColumns("transaction_id", "event_time", ("amount", LABEL))
FEATURES = names("full")


def batch_features(transactions: pa.Table, label_delay: int) -> pa.Table:
    """The rows of gold.features of these transactions, by the kernel as featurize calls it."""
    batches: list[pa.RecordBatch] = transactions.to_batches()
    listed = definitions("full", label_delay)
    for entity, from_time in (("terminal_id", None), ("customer_id", calendar)):
        some = [each for each in listed if each.entity == entity]
        added = [*(each.name for each in kept(some)), *(("weekend", "night") if from_time else ())]
        batches = with_features(batches, COLUMNS, some, added, 0, from_time)
    return pa.Table.from_batches(batches)


def recomputed(transactions: pa.Table, features: pa.Table, label_delay: int,
               model: Model | None = None) -> Recomputed:
    """Batch's side, from silver and the rows of gold.features; `model` None: the logged ones."""
    known = find_logged if model is None else lambda version: model

    def score(version: str, rows: Floats) -> Floats | None:
        found = known(version)
        if found is None:
            return None
        if not len(rows):
            return rows[:, 0]
        features = pd.DataFrame(rows, columns=FEATURES)
        return Guarded(found).judged(features)[1].scores

    return Recomputed(transactions, COLUMNS, LABEL, features.select([COLUMNS.key, *FEATURES]),
                      definitions("full", label_delay), version_now(label_delay), score)


@cache
def find_logged(version: str) -> Model | None:
    """The model that scored; None where it is no longer there."""
    try:
        return find_model(f"models:/{version}")
    except BadInput:
        return None
