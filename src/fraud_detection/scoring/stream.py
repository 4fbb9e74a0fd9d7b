"""The scorer of a stream: transactions to scores, labels into the online store."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from branchline.features.online import OnlineFeatures, Store
from branchline.guardrails import AlertRate
from branchline.inference_log import Entry, InferenceLog, Origin
from branchline.streaming import Answer, Message
from fraud_detection.data.landed_columns import Columns
from fraud_detection.features import definitions
from fraud_detection.model.estimators import LoggedModel, find_model
from fraud_detection.scoring.guarded import judge_of
from fraud_detection.scoring.messages import LABEL, events_of, labels_of
from fraud_detection.scoring.score import Model, Score, Scoring
from fraud_detection.settings import DataSettings

__all__ = ["NAME", "FraudScorer", "entry_of", "features_version", "open_scorer"]

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


def features_version(label_delay: int) -> str:
    """Differs when a definition of a feature differs."""
    return f"{crc32(repr(definitions('full', label_delay)).encode()):08x}"


class FraudScorer:
    """Scores transactions as gold.scores has them, bit for bit."""

    def __init__(self, store: Store, columns: Columns, label_delay: int,
                 log: InferenceLog | None = None) -> None:
        self._online = OnlineFeatures(store, definitions("full", label_delay))
        self._columns, self._log = columns, log
        self._version = features_version(label_delay)
        self._rates: dict[str, AlertRate] = {}  # by the model's version

    def load(self, address: str) -> LoggedModel:
        return find_model(address)

    def score(self, model: Model, messages: Sequence[Message]) -> list[Answer]:
        found = events_of(*_split(messages), self._columns)
        events = [event for event in found if event is not None]
        scores = Scoring(self._online, model, self._rate(model)).score(events)
        filled = self._online.filled
        if self._log and scores:
            origin = Origin("stream", NAME, model.version, self._version, filled)
            self._log.write([entry_of(each) for each in scores], origin)
        return [_answer(each, {"features_version": self._version, "store_filled": filled})
                for each in scores]

    def _rate(self, model: Model) -> AlertRate:
        if model.version not in self._rates:
            judge = judge_of(model.notes, model.inputs, model.version)
            self._rates = {model.version: AlertRate(judge.guardrails)}
        return self._rates[model.version]

    def deliver(self, labels: Sequence[Message]) -> list[Answer]:
        found = [label for label in labels_of(*_split(labels), self._columns) if label is not None]
        missed = {label.id for label in self._online.deliver(found)}
        return [Answer(label.entities["customer_id"], None,
                       {"transaction_id": label.id, "label": label.values[LABEL],
                        "missed": label.id in missed}) for label in found]


def entry_of(each: Score) -> Entry:
    """The score as a row of the inference log."""
    event = each.event
    return Entry(each.features, each.score, each.is_alert, each.outcome, each.guardrails,
                 record_id=event.id, event_time=event.time, entities=event.entities,
                 labelled=LABEL in event.values)


def _split(messages: Sequence[Message]) -> tuple[list[bytes | None], list[int]]:
    return [each.value for each in messages], [each.time for each in messages]


def _answer(each: Score, versions: dict[str, object]) -> Answer:
    event = each.event
    about = {"transaction_id": event.id, "event_time": event.time, "score": each.score,
             "model_version": each.model_version}
    return Answer(event.entities["customer_id"], {
        **about, "customer_id": event.entities["customer_id"], "is_alert": each.is_alert}, {
        **about, **versions, "labelled": LABEL in event.values, "features": each.features})
