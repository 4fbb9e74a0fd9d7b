"""What a replay needs: a broker with topics, a registered model, a filled store, a worker."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from branchline.features.online import open_store
from branchline.features.online.backfill import backfill
from branchline.runs.registry import Registry
from branchline.runs.tracking import Tracking
from branchline.spark.kafka_broker import Broker
from fraud_detection.features import definitions
from fraud_detection.scoring import artifact
from fraud_detection.scoring.logged import METADATA
from fraud_detection.scoring.parity import COLUMNS, batch_features
from fraud_detection.settings import Settings

__all__ = ["DELAY", "EVENTS", "LABELS", "LOG", "SCORES", "Stage", "staged", "stopped_at_the_end"]

PROJECT = "fraud-training"
EVENTS, LABELS, SCORES, LOG = "transactions", "labels", "scores", "log"
DELAY = 7
STOP_SECONDS = 60


@dataclass(frozen=True)
class Stage:
    """A folder with everything of one replay, and the broker's address."""

    folder: Path
    address: str

    @property
    def client(self) -> dict[str, str]:
        return {"bootstrap.servers": self.address, "group.id": "demo"}

    @property
    def metrics(self) -> Path:
        return self.folder / "worker.prom"

    @property
    def tracking(self) -> str:
        return f"sqlite:///{self.folder}/mlflow.db"

    def train(self, transactions: pa.Table) -> None:
        """Fit the project's default model on these transactions, and make it the champion."""
        import mlflow

        from fraud_detection.model.training import train
        rows: pd.DataFrame = batch_features(transactions, DELAY).to_pandas()
        trained = train(rows.sort_values("transaction_id", ignore_index=True), Settings())
        tracking = Tracking(self.tracking, self.folder / "artifacts")
        with mlflow.start_run(experiment_id=tracking.experiment("demo")) as run:
            logged = mlflow.models.Model.log(
                None, artifact, name="model", pip_requirements=[],
                metadata=METADATA.written(trained.notes), **trained.about)
        registry = Registry(tracking)
        registry.promote(PROJECT, registry.register(PROJECT, logged.model_id, run.info.run_id,
                                                    {}).version)

    def fill(self, transactions: pa.Table) -> int:
        """Fill the online store; the number of histories."""
        with closing(open_store(str(self.folder / "events.db"))) as store:
            return backfill(store, definitions("full", DELAY), transactions, COLUMNS,
                            now=time.time_ns() // 1000)

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """`branchline score-stream` on the stage, stopped by SIGTERM at the end of the block."""
        kafka = self.folder / "kafka.yml"
        kafka.write_text(json.dumps({"bootstrap_servers": self.address, "group": "demo"}))
        arguments = {"--kafka": kafka, "--from": EVENTS, "--to": SCORES, "--labels": LABELS,
                     "--log": LOG, "--store": self.folder / "events.db", "--every": 1,
                     "--metrics": self.metrics, "--worker": "demo"}
        words = [str(word) for pair in arguments.items() for word in pair]
        with open(self.folder / "worker.log", "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "branchline.cli.main", "score-stream", PROJECT, *words],
                env={**os.environ, "MLFLOW_TRACKING_URI": self.tracking}, stdout=log, stderr=log)
        with stopped_at_the_end(process, STOP_SECONDS):
            yield process


@contextmanager
def stopped_at_the_end(process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    """SIGTERM after the block; SIGKILL after these seconds, or after an error in the block."""
    try:
        yield
        process.send_signal(signal.SIGTERM)
        process.wait(seconds)
    finally:
        process.kill()
        process.wait()


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """An empty stage with a running broker and its topics.

    Raises:
        NotInstalled: Java or Kafka's jars are missing.
    """
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
    shutil.rmtree(folder, ignore_errors=True)
    with Broker(folder / "kafka") as broker:
        admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
        topics = [NewTopic(name, 1, 1) for name in (EVENTS, LABELS, SCORES, LOG)]
        for created in admin.create_topics(topics).values():
            created.result(60)
        yield Stage(folder.resolve(), broker.address)
