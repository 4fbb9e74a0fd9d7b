"""A simulated stream for tests: transactions, some out of order, and labels, some late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pandas as pd
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from branchline import Lakehouse
from branchline.features.kernel import Floats
from branchline.parity import Logged
from branchline.streaming import Answer, Message
from fraud_detection.demo import replay
from fraud_detection.scoring.logged import METADATA, Scored
from fraud_detection.scoring.stream import FraudScorer
from fraud_detection.tables import TRANSACTIONS

BATCH = 400
NOW = 2**41  # milliseconds: every message was sent after all events


class Formula:
    """A model that needs no fit: its score tells its features."""

    version, threshold = "formula", 0.5
    notes: dict[str, Any] = {}
    inputs = ["amount", "customer_count_7d", "terminal_fraud_rate_30d", "amount_to_usual"]

    def __call__(self, rows: pd.DataFrame) -> Scored:
        return Scored.of(self.score(rows), self.threshold)

    def score(self, rows: pd.DataFrame) -> Floats:
        found: Floats = (rows[self.inputs].to_numpy() * [1, 100, 1000, 1]).sum(axis=1)
        return found


def log_model(inputs: list[str]) -> str:
    """The id of a small model of these inputs, logged in the active run as train logs it."""
    import mlflow
    rows = pd.DataFrame({name: [1.0, 2.0 + at] for at, name in enumerate(inputs)})
    model = LogisticRegression().fit(rows, [0, 1])
    return str(mlflow.sklearn.log_model(
        model, name="model", metadata=METADATA.written({"threshold": 0.5}), pip_requirements=[],
        serialization_format="cloudpickle",
        signature=mlflow.models.infer_signature(rows, model.predict_proba(rows))).model_id)


def land(lakehouse: Lakehouse, transactions: pa.Table) -> None:
    """Put the transactions into silver, as rows of one file."""
    landed = transactions.append_column("source_file", pa.array(["f"] * len(transactions)))
    lakehouse.merge(TRANSACTIONS, lakehouse.spark.createDataFrame(
        landed.append_column("source_row", pa.array(range(len(landed))))))


def arrivals(transactions: pa.Table, late: float,
             ) -> Iterator[tuple[list[Message], list[Message]]]:
    """The replay's messages in batches: transactions, and labels."""
    sent = replay.arrivals(transactions, late)
    while some := list(islice(sent, BATCH)):
        events, labels = ([Message(value, NOW) for is_label, value in some if is_label is wanted]
                          for wanted in (False, True))
        yield events, labels


def logged(scorer: FraudScorer, batches: Iterator[tuple[list[Message], list[Message]]],
           model: Any = Formula(), first: int = 1) -> Logged:
    """What the worker logs for these batches."""
    rows: list[dict[str, Any]] = []
    for batch, (events, labels) in enumerate(batches, first):
        answers: list[Answer] = scorer.score(model, events) if events else []
        answers += scorer.deliver(labels) if labels else []
        rows += [json.loads(json.dumps({**each.log, "batch": batch})) for each in answers]
        assert scorer.features.committed({})
    assert scorer.features.save()
    return Logged.of(rows)
