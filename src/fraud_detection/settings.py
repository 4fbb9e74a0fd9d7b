"""The project's parameters, each declared once, here."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from branchline import Settings as BranchlineSettings, parameter
from branchline.config.guardrails_file import read_guardrails
from branchline.config.kafka_file import KafkaFile
from branchline.guardrails import Guardrails
from branchline.inference_log import HashKey
from fraud_detection.data.landed_columns import Columns

__all__ = ["Columns", "DataSettings", "MOST_DAYS", "SIMULATED", "Settings"]

SIMULATED = "simulated"
MOST_DAYS = 3650


def _columns(text: str) -> Columns:
    return Columns.read(Path(text))


def _kafka(text: str) -> KafkaFile:
    return KafkaFile.of(text, os.environ)


def _hash_key(text: str) -> HashKey:
    return HashKey.of(text, os.environ)


def _guardrails(text: str) -> Guardrails:
    return read_guardrails(Path(text))


@dataclass(frozen=True)
class DataSettings(BranchlineSettings):
    """The location and form of the transactions, for every project that begins with ingest."""

    data: str = parameter(SIMULATED, "a folder or file of transactions, or a topic, "
                                     "kafka://TOPIC; `simulated` generates some", type="location")
    columns: Columns = parameter(Columns(), "a YAML file that names the data's columns",
                                 type="location", text="columns.yml", read=_columns)
    kafka: KafkaFile | None = parameter(None, "a YAML file with the settings for Kafka; "
                                              "those of the target",
                                        type="location", read=_kafka)
    label_delay_days: int = parameter(7, "days until a label is known", minimum=0,
                                      maximum=MOST_DAYS)
    verify: str = parameter(
        "false", "whether prepare recounts all rows by reading them", choices=("false", "true"))

    @property
    def tables_schema(self) -> str:
        """The schema of this run's tables: the branch's; other data have tables of their own."""
        if self.data == SIMULATED:
            return self.schema
        identity = hashlib.sha256(repr((self.data, self.columns)).encode()).hexdigest()[:6]
        stem = "".join(c if c.isascii() and c.isalnum() else "_" for c in Path(self.data).stem)
        return f"{self.schema}__{stem.lower()[:40]}_{identity}"


@dataclass(frozen=True)
class Settings(DataSettings):
    """Days are UTC calendar days; None stands for what the help says after the semicolon."""

    test_start: date | None = parameter(None, "first test day; as late as the data allow")
    train_days: int = parameter(75, "days of training data, or as many as there are",
                                minimum=1, maximum=MOST_DAYS)
    test_days: int = parameter(7, "days of test data", minimum=1, maximum=MOST_DAYS)
    model: str = parameter(
        "hist_gradient_boosting", "the kind of model to train",
        choices=("hist_gradient_boosting", "logistic_regression", "random_forest"))
    features: str = parameter(
        "full", "the features of the model: a selection of all, or the 15 published ones",
        choices=("full", "published"))
    class_weight: str = parameter(
        "balanced", "balanced gives frauds and genuine rows equal weight in the fit; scores are "
                    "calibrated after it", choices=("none", "balanced"))
    search: int = parameter(0, "how many sets of hyperparameters to try; 0 keeps the default ones",
                            minimum=0, maximum=10_000)
    alert_cost: float = parameter(
        10.0, "what investigating one alert costs, in the currency of the data", minimum=0,
        maximum=10**9)
    guardrails: Guardrails = parameter(
        Guardrails(), "a YAML file with the rules that train logs with the model",
        type="location", text="guardrails.yml", read=_guardrails)
    seed: int = parameter(0, "the seed of random choices", minimum=0, maximum=2**32 - 1)
    model_uri: str | None = parameter(
        None, "the model to evaluate, predict, monitor and compare; the newest of the experiment")
    champion_uri: str | None = parameter(
        None, "the model to compare with on the same rows; none")
    draws: int = parameter(500, "how often compare resamples the rows", minimum=100,
                           maximum=100_000)
    first_day: date | None = parameter(
        None, "first day to build, score and compare; the run's own")
    last_day: date | None = parameter(
        None, "last day to build, score and compare; the run's own")
    store: str = parameter("", "the online store that the step backfill fills: a file, or "
                               "redis://HOST")
    log: str = parameter("", "the topic that `score-stream` logged to, for the step parity; "
                             "gold.inference_log")
    logs: str = parameter("", "the folder of inference logs that the step ship takes",
                          type="location")
    log_scores: str = parameter("false", "whether predict adds its rows to gold.inference_log",
                                choices=("false", "true"))
    hash_ids: HashKey | None = parameter(
        None, "the environment variable with the key that hashes ids in gold.inference_log; none",
        type="string", read=_hash_key)
    reason: str = parameter("", "why the step reject moves rows out of silver")
