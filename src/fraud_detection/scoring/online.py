"""Transactions of requests: features from the online store, scores, reasons, guardrails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from branchline import BadInput, BranchlineError
from branchline.features.online import Event, OnlineFeatures, SqliteStore, open_store
from branchline.guardrails import Judged
from branchline.inference_log import Entry
from branchline.serving import Answered, Asked, Records
from fraud_detection.features import calendar, definitions, names
from fraud_detection.model.estimators import LoggedModel
from fraud_detection.scoring.reasons import contributions, reasons, usual_row
from fraud_detection.scoring.transactions import EXAMPLE, events_of

__all__ = ["records_of"]

FEATURES = names("full")
Floats: TypeAlias = NDArray[np.float64]


def records_of(address: str, model: LoggedModel, score: Callable[[Floats], Floats],
               judge: Callable[[Floats, Floats], Judged], label_delay: int,
               degraded: bool) -> Records:
    """The route for transactions; `score` and `judge` take rows of the model's inputs."""
    store = open_store(address)
    listed = definitions("full", label_delay)
    online = OnlineFeatures(store, listed)
    lost = OnlineFeatures(SqliteStore(Path(":memory:")), listed) if degraded else None
    scoring = _Scoring(online, lost, model, score, judge)

    def check() -> None:
        if not degraded:
            store.read(["customer_id/0"])

    return Records("/score", "transactions", scoring.answer, check, EXAMPLE, online.filled)


class _Scoring:
    """Adds transactions to the store, and scores them; `lost` computes features without it."""

    def __init__(self, online: OnlineFeatures, lost: OnlineFeatures | None, model: LoggedModel,
                 score: Callable[[Floats], Floats],
                 judge: Callable[[Floats, Floats], Judged]) -> None:
        self._online, self._lost, self._inputs = online, lost, model.inputs
        self._score, self._judge = score, judge
        self._at = [FEATURES.index(name) for name in model.inputs]
        self._usual = usual_row(model.notes, model.inputs)

    def answer(self, records: Sequence[Any], asked: Asked) -> list[Answered]:
        events = events_of(records)
        features, without_store = self._features(events)
        known = [at for at, row in enumerate(features) if row is not None]
        rows = np.array([features[at] for at in known]).reshape(len(known), len(FEATURES))
        inputs = rows[:, self._at]
        judged = self._judge(inputs, self._score(inputs)) if known else None
        gains = self._gains(inputs) if asked.reasons and known else None
        answers: list[Answered] = [_late(event, asked) for event in events]
        for n, at in enumerate(known):
            assert judged
            answers[at] = self._answered(events[at], rows[n].tolist(), judged, n, without_store)
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
        return None if self._usual is None else contributions(self._score, inputs, self._usual)

    def _answered(self, event: Event, features: list[float], judged: Judged, n: int,
                  without_store: bool) -> Answered:
        outcome, fired = judged.outcomes[n], judged.fired[n]
        score = None if outcome == "refused" else float(judged.scores[n])
        alert = None if outcome == "refused" else bool(judged.alerts[n])
        if without_store and outcome in ("scored", "flagged"):
            outcome = "degraded"
        answer = {"transaction_id": event.id, "score": score, "is_alert": alert,
                  "outcome": outcome, "guardrails": list(fired)}
        return Answered(answer, Entry(
            dict(zip(FEATURES, features, strict=True)), score, alert, outcome, fired,
            record_id=event.id, event_time=event.time, entities=event.entities))


def _late(event: Event, asked: Asked) -> Answered:
    """A transaction that came too late for its features has no score."""
    answer: dict[str, Any] = {"transaction_id": event.id, "score": None, "is_alert": None,
                              "outcome": "late", "guardrails": []}
    answer |= {"features": None} if asked.features else {}
    answer |= {"reasons": None} if asked.reasons else {}
    return Answered(answer, Entry(None, None, None, "late", record_id=event.id,
                                  event_time=event.time, entities=event.entities))
