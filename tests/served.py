"""A model for the service, fitted and saved in seconds without Spark, and its transactions."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from branchline.features.arrow import EventColumns, with_features
from branchline.features.online import SqliteStore
from branchline.features.online.backfill import backfill
from fraud_detection.data.world import World, simulate
from fraud_detection.features import calendar, definitions, kept
from fraud_detection.model.training import train
from fraud_detection.scoring import artifact
from fraud_detection.scoring.logged import METADATA
from fraud_detection.settings import Settings

SERVICE = "fraud_detection.scoring.service:open_service"
COLUMNS = EventColumns("transaction_id", "event_time", ("amount", "is_fraud"))
LIVE = datetime(2018, 5, 28, tzinfo=timezone.utc)  # what comes from here on, the service scores
LISTED = definitions("full", label_delay=7)


def silver(world: World = World(customers=60, terminals=60, days=60)) -> pa.Table:
    """The world's transactions with the names and types of silver.transactions."""
    found = simulate(world)
    text = {name: found[name.upper()].cast(pa.string())
            for name in ("transaction_id", "customer_id", "terminal_id")}
    return pa.table({
        **text, "event_time": found["TX_DATETIME"].cast(pa.timestamp("us", "UTC")),
        "amount": found["TX_AMOUNT"], "is_fraud": found["TX_FRAUD"].cast(pa.int32())})


def batch_features(transactions: pa.Table) -> pd.DataFrame:
    """Their rows of gold.features, by the kernel as featurize calls it, in order of time."""
    batches: list[pa.RecordBatch] = transactions.to_batches()
    for entity, from_time in (("terminal_id", None), ("customer_id", calendar)):
        listed = [each for each in LISTED if each.entity == entity]
        added = [each.name for each in kept(listed)]
        batches = with_features(batches, COLUMNS, listed, [
            *(("weekend", "night") if from_time else ()), *added], 0, from_time)
    found: pd.DataFrame = pa.Table.from_batches(batches).to_pandas()
    return found.sort_values(["event_time", "transaction_id"], ignore_index=True)


def save_model(folder: Path, rows: pd.DataFrame, kind: str = "hist_gradient_boosting",
               **changed: Any) -> Path:
    """A model as the train step logs it, of these features; `changed` are notes with it."""
    trained = train(rows, Settings(model=kind))
    artifact.save_model(str(folder), metadata=METADATA.written({**trained.notes, **changed}),
                        pip_requirements=[], **trained.about)
    return folder


def fill_store(file: Path, transactions: pa.Table, until: datetime) -> Path:
    """The online store as it is before the first transaction that `until` does not precede."""
    store = SqliteStore(file)
    before = pc.less(transactions["event_time"], pa.scalar(until, pa.timestamp("us", "UTC")))
    backfill(store, LISTED, transactions.filter(before), COLUMNS)
    store.close()
    return file


def as_records(transactions: pa.Table) -> list[dict[str, Any]]:
    """As a client sends them, in order of time."""
    ordered = transactions.sort_by([("event_time", "ascending"), ("transaction_id", "ascending")])
    return [{**{name: row[name] for name in ("transaction_id", "customer_id", "terminal_id",
                                             "amount")},
             "event_time": row["event_time"].astimezone(timezone.utc).isoformat()}
            for row in ordered.to_pylist()]


def bits(values: Any) -> bytes:
    return np.asarray(values, np.float64).tobytes()
