"""The scorer of a stream: transactions to scores, labels into the online store."""

from __future__ import annotations

from collections.abc import Sequence

from branchline.features.online import Event, HeldFeatures, Store
from branchline.inference_log import Entry, InferenceLog, Origin
from branchline.streaming import Answer, Message
from fraud_detection.data.landed_columns import Columns
from fraud_detection.feature_versions import version_now
from fraud_detection.features import definitions
from fraud_detection.scoring.guarded import Guarded, Model
from fraud_detection.scoring.logged import LoggedModel, find_current
from fraud_detection.scoring.messages import LABEL, events_of, labels_of
from fraud_detection.scoring.score import Score, Scoring
from fraud_detection.settings import DataSettings

__all__ = ["NAME", "FraudScorer", "entry_of", "open_scorer"]

NAME = "fraud"


def open_scorer(store: Store, arguments: Sequence[str],
                log: InferenceLog | None = None) -> FraudScorer:
    """The scorer; `arguments` are the project's parameters, of which it uses `columns` and
    `label_delay_days`. What it scores is written to `log`.

    Raises:
        BadInput: a parameter is invalid, or filling the store was interrupted.
    """
    settings = DataSettings.from_arguments(arguments)
    return FraudScorer(store, settings.columns, settings.label_delay_days, log)


class FraudScorer:
    """Scores transactions as gold.scores has them, bit for bit."""

    def __init__(self, store: Store, columns: Columns, label_delay: int,
                 log: InferenceLog | None = None) -> None:
        self.features = HeldFeatures(store, definitions("full", label_delay))
        self._columns, self._log = columns, log
        self._label_delay, self._version = label_delay, version_now(label_delay)
        self._guarded: Guarded | None = None

    def load(self, address: str) -> LoggedModel:
        """The model; raises BadInput too if its inputs were defined otherwise than they are now."""
        return find_current(address, self._label_delay)

    def score(self, model: Model, messages: Sequence[Message]) -> list[Answer]:
        found = events_of(*_split(messages), self._columns)
        places = [at for at, event in enumerate(found) if event is not None]
        if self._guarded is None or self._guarded.model is not model:
            self._guarded = Guarded(model, counts_alerts=True)
        scores = Scoring(self.features, self._guarded).score([event for event in found if event])
        filled = self.features.filled
        if self._log and scores:
            origin = Origin("stream", NAME, model.version, self._version, filled)
            self._log.write([entry_of(each) for each in scores], origin)
        return [_answer(each, at, {"features_version": self._version, "store_filled": filled})
                for at, each in zip(places, scores, strict=True)]

    def restore(self, messages: Sequence[Message]) -> None:
        self.features.append(self._events(messages))

    def _events(self, messages: Sequence[Message]) -> list[Event]:
        found = events_of(*_split(messages), self._columns)
        return [event for event in found if event is not None]

    def deliver(self, labels: Sequence[Message]) -> list[Answer]:
        found = labels_of(*_split(labels), self._columns)
        missed = {label.id for label in self.features.deliver([each for each in found if each])}
        return [Answer(label.entities["customer_id"], None,
                       {"transaction_id": label.id, "label": label.values[LABEL],
                        "missed": label.id in missed}, at)
                for at, label in enumerate(found) if label is not None]


def entry_of(each: Score) -> Entry:
    """The score as a row of the inference log."""
    event = each.event
    return Entry(each.features, each.score, each.is_alert, each.outcome, each.guardrails,
                 each.is_outlier, each.outlier_score, record_id=event.id,
                 event_time=event.time, entities=event.entities, labelled=LABEL in event.values)


def _split(messages: Sequence[Message]) -> tuple[list[bytes | None], list[int]]:
    return [each.value for each in messages], [each.time for each in messages]


def _answer(each: Score, at: int, versions: dict[str, object]) -> Answer:
    event = each.event
    about = {"transaction_id": event.id, "event_time": event.time, "score": each.score,
             "model_version": each.model_version}
    return Answer(event.entities["customer_id"], {
        **about, "customer_id": event.entities["customer_id"], "is_alert": each.is_alert,
        "outlier_score": each.outlier_score, "is_outlier": each.is_outlier}, {
        **about, **versions, "labelled": LABEL in event.values, "features": each.features}, at)
