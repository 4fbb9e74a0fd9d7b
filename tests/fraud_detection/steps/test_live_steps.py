"""The steps backfill and parity on real tables, with a real topic."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from branchline import BadInput, Lakehouse
from branchline.config.kafka_file import KafkaFile
from branchline.features.online import SqliteStore
from branchline.runs.shown_parity import parity_of, parts
from branchline.runs.tracking import Tracking
from fraud_detection.data.landed_columns import Columns
from fraud_detection.data.world import World
from fraud_detection.model.estimators import find_model
from fraud_detection.scoring.stream import FraudScorer
from fraud_detection.settings import Settings
from fraud_detection.steps import backfill, parity
from fraud_detection.tables import TRANSACTIONS
from support.topics import Topic
from tests.live import arrivals, log_model, logged, silver

WORLD = World(customers=15, terminals=8, days=40, seed=5)


def records(store: SqliteStore) -> dict[str, bytes | None]:
    keys = sorted(key for key in store.keys() if "/" in key)
    return dict(zip(keys, store.read(keys), strict=True))


@pytest.mark.spark
def test_parity_of_a_topic_is_0_mismatches_and_backfill_makes_the_store_of_the_stream(
        lakehouse: Lakehouse, run: Any, store: str, broker: Any, tmp_path: Path) -> None:
    transactions = silver(WORLD)
    landed = transactions.append_column("source_file", pa.array(["f"] * len(transactions)))
    lakehouse.merge(TRANSACTIONS, lakehouse.spark.createDataFrame(
        landed.append_column("source_row", pa.array(range(len(landed))))))
    live = SqliteStore(Path(":memory:"))
    batches = list(arrivals(transactions, late=0.05))
    log = logged(FraudScorer(live, Columns(), 7), iter(batches),
                 find_model(f"models:/{log_model(['amount', 'terminal_fraud_rate_30d'])}"))
    topic = Topic({"bootstrap.servers": broker.address})
    topic.send(*chain(log.events, log.labels))
    settings = Settings(log=topic.name, kafka=KafkaFile(topic.client),
                        store=str(tmp_path / "events.db"))

    counts = parity.run(lakehouse, settings)
    assert counts == {"rows": len(landed), "values": 27 * len(landed), "mismatches": 0,
                      "explained": counts["explained"]} and counts["explained"] > 0
    found = parity_of(Tracking(store, None), run.info.run_id)
    assert found.columns[-1].name == "score" and not found.skipped
    assert "0 mismatches (0.000%)" in next(parts(found)).notes[0]

    histories = backfill.run(lakehouse, settings)["histories"]
    filled = SqliteStore(tmp_path / "events.db")
    assert len(records(filled)) == histories > 0
    every_label = [message for _, labels in batches for message in labels]
    FraudScorer(live, Columns(), 7).deliver(every_label)
    assert records(filled) == records(live)


def test_parity_and_backfill_say_what_they_need() -> None:
    with pytest.raises(BadInput, match="parameters log and kafka: expected"):
        parity.run(None, Settings())  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="parameter store is ''"):
        backfill.run(None, Settings())  # type: ignore[arg-type]
