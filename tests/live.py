"""A simulated stream for tests: transactions, some out of order, and labels, some late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from branchline.features.kernel import DAY, Floats
from branchline.parity import Logged
from branchline.streaming import Answer, Message
from fraud_detection.data.world import World, simulate
from fraud_detection.model.estimators import METADATA
from fraud_detection.scoring.stream import FraudScorer

NOW = 2**41  # milliseconds: every message was sent after all events


class Formula:
    """A model that needs no fit: its score tells its features."""

    version, threshold = "formula", 0.5
    inputs = ["amount", "customer_count_7d", "terminal_fraud_rate_30d", "amount_to_usual"]

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


def silver(world: World) -> pa.Table:
    """The world's transactions with the names and types of silver.transactions."""
    found = simulate(world)
    text = {name: found[name.upper()].cast(pa.string())
            for name in ("transaction_id", "customer_id", "terminal_id")}
    return pa.table({
        **text, "event_time": found["TX_DATETIME"].cast(pa.timestamp("us", "UTC")),
        "amount": found["TX_AMOUNT"], "is_fraud": found["TX_FRAUD"].cast(pa.int32())})


def arrivals(transactions: pa.Table, late: float, seed: int = 0,
             ) -> Iterator[tuple[list[Message], list[Message]]]:
    """Batches of transactions without labels, and of labels, in the order in which they arrive.

    A label comes 7 days after its transaction; the share `late` of the transactions and of the
    labels comes up to a day later than that.
    """
    source = np.random.default_rng(seed)
    rows = transactions.to_pylist()
    times = transactions["event_time"].cast(pa.int64()).to_numpy() // 1000
    delays = [np.where(source.random(len(rows)) < late, source.integers(1, DAY, len(rows)), 0)
              for _ in range(2)]
    came = [*zip((times + delays[0]).tolist(), range(len(rows)), [False] * len(rows)),
            *zip((times + 7 * DAY + delays[1]).tolist(), range(len(rows)), [True] * len(rows))]
    came.sort()
    for first in range(0, len(came), 400):
        some = came[first:first + 400]
        yield ([_message(rows[at], False) for _, at, is_label in some if not is_label],
               [_message(rows[at], True) for _, at, is_label in some if is_label])


def _message(row: dict[str, Any], is_label: bool) -> Message:
    names = ("transaction_id", "customer_id", "terminal_id", *(["is_fraud"] if is_label
                                                               else ["amount"]))
    return Message(json.dumps({**{name: row[name] for name in names},
                               "event_time": row["event_time"].isoformat()}).encode(), NOW)


def logged(scorer: FraudScorer, batches: Iterator[tuple[list[Message], list[Message]]],
           model: Any = Formula(), first: int = 1) -> Logged:
    """What the worker logs for these batches."""
    rows: list[dict[str, Any]] = []
    for batch, (events, labels) in enumerate(batches, first):
        answers: list[Answer] = scorer.score(model, events) if events else []
        answers += scorer.deliver(labels) if labels else []
        rows += [json.loads(json.dumps({**each.log, "batch": batch})) for each in answers]
    return Logged.of(rows)
