"""The parameters of fraud-scoring, each declared once, here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from branchline import parameter
from fraud_detection.settings import DataSettings

__all__ = ["ScoringSettings"]


@dataclass(frozen=True)
class ScoringSettings(DataSettings):
    """`kafka`, topics and store are for the step stream; days are UTC calendar days."""

    registered: str = parameter("fraud-training", "the registered model's name")
    alias: str = parameter("champion", "the alias of the version that scores; when it is moved, "
                                       "the stream's next batch has the new version")
    first_day: date | None = parameter(None, "first day that batch scores; a week before the last")
    last_day: date | None = parameter(None, "last day that batch scores; the data's last")
    events: str = parameter("transactions", "the topic of transactions")
    scores: str = parameter("scores", "the topic of scores")
    labels: str = parameter("", "a topic of labels that become known later; none")
    log: str = parameter("", "log features and scores to this topic, for `branchline parity`; none")
    store: str = parameter("", "the online store: a file, or redis://HOST")
    most: int = parameter(50_000, "the number of messages in one batch of the stream", minimum=1,
                          maximum=10_000_000)
    keep_every: int = parameter(10, "seconds between two appends to gold.scores", minimum=0,
                                maximum=3600)
    every: float = parameter(5.0, "seconds between two lines of progress", minimum=0.1,
                             maximum=3600)
    once: str = parameter("false", "whether the stream ends when it has scored what is there",
                          choices=("false", "true"))
    metrics: str = parameter("", "a file of the stream's progress for Prometheus; none")
