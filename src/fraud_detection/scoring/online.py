"""Transactions of requests: features from the online store, scores, reasons, guardrails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from branchline import BadInput, BranchlineError
from branchline.features.online import Event, OnlineFeatures, SqliteStore, open_store
from branchline.inference_log import Entry
from branchline.serving import Answered, Asked, Records, span
from fraud_detection.features import calendar, definitions, names
from fraud_detection.scoring.guarded import Guarded, Row
from fraud_detection.scoring.logged import Floats, LoggedModel
from fraud_detection.scoring.reasons import contributions, reasons, usual_row
from fraud_detection.scoring.transactions import EXAMPLE, events_of

__all__ = ["records_of"]

FEATURES = names("full")


def records_of(address: str, model: LoggedModel, guarded: Guarded, label_delay: int,
               degraded: bool) -> Records:
    """The route for transactions; `guarded` has the model's guardrails."""
    store = open_store(address)
    listed = definitions("full", label_delay)
    online = OnlineFeatures(store, listed)
    lost = OnlineFeatures(SqliteStore(Path(":memory:")), listed) if degraded else None
    scoring = _Scoring(online, lost, model, guarded)

    def check() -> None:
        if not degraded:
            store.read(["customer_id/0"])

    return Records("/score", "transactions", scoring.answer, check, EXAMPLE, online.filled)


class _Scoring:
    """Adds transactions to the store, and scores them; `lost` computes features without it."""

    def __init__(self, online: OnlineFeatures, lost: OnlineFeatures | None, model: LoggedModel,
                 guarded: Guarded) -> None:
        self._online, self._lost, self._model, self._guarded = online, lost, model, guarded
        self._inputs = model.inputs
        self._at = [FEATURES.index(name) for name in model.inputs]
        self._usual = usual_row(model.notes, model.inputs)

    def answer(self, records: Sequence[Any], asked: Asked) -> list[Answered]:
        events = events_of(records)
        with span("features"):
            features, without_store = self._features(events)
        known = [at for at, row in enumerate(features) if row is not None]
        rows = np.array([features[at] for at in known]).reshape(len(known), len(FEATURES))
        inputs = rows[:, self._at]
        with span("model"):
            found = self._guarded.rows(inputs) if known else []
            gains = self._gains(inputs) if asked.reasons and known else None
        answers: list[Answered] = [_late(event, asked) for event in events]
        for n, at in enumerate(known):
            answers[at] = _answered(events[at], rows[n].tolist(), found[n], without_store)
            if asked.features:
                answers[at].answer["features"] = dict(zip(
                    self._inputs, inputs[n].tolist(), strict=True))
            if asked.reasons:
                answers[at].answer["reasons"] = None if gains is None else reasons(
                    self._inputs, inputs[n].tolist(), gains[n])
        return answers

    def _features(self, events: Sequence[Event]) -> tuple[list[list[float] | None], bool]:
        """The events' features in their order, and whether they are those without the store."""
        try:
            found, is_lost = self._online.append(events), False
        except BadInput:
            raise
        except BranchlineError:  # the store does not answer
            if self._lost is None:
                raise
            found, is_lost = self._lost.features(events), True
        dates = calendar(np.array([event.time for event in events], np.int64))
        by_time = {name: values.tolist() for name, values in dates.items()}
        return [None if row is None else
                [by_time[name][at] if name in by_time else row[name] for name in FEATURES]
                for at, row in enumerate(found)], is_lost

    def _gains(self, inputs: Floats) -> Floats | None:
        return None if self._usual is None else contributions(
            lambda rows: self._model.probabilities(rows)[:, 1], inputs, self._usual)


def _answered(event: Event, features: list[float], row: Row, without_store: bool) -> Answered:
    outcome = row.outcome
    if without_store and outcome in ("scored", "flagged"):
        outcome = "degraded"
    answer = {"transaction_id": event.id, "score": row.score, "is_alert": row.is_alert,
              "outlier_score": row.outlier_score, "is_outlier": row.is_outlier,
              "outcome": outcome, "guardrails": list(row.guardrails)}
    return Answered(answer, Entry(
        dict(zip(FEATURES, features, strict=True)), row.score, row.is_alert, outcome,
        row.guardrails, row.is_outlier, row.outlier_score, record_id=event.id,
        event_time=event.time, entities=event.entities))


def _late(event: Event, asked: Asked) -> Answered:
    """A transaction that came too late for its features has no score."""
    answer: dict[str, Any] = {"transaction_id": event.id, "score": None, "is_alert": None,
                              "outlier_score": None, "is_outlier": None, "outcome": "late",
                              "guardrails": []}
    answer |= {"features": None} if asked.features else {}
    answer |= {"reasons": None} if asked.reasons else {}
    return Answered(answer, Entry(None, None, None, "late", record_id=event.id,
                                  event_time=event.time, entities=event.entities))
