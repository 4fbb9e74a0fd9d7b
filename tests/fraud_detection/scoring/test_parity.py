"""Stream and batch agree on every value; a value that differs is explained only by proof."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from branchline.features.online import SqliteStore
from branchline.features.online.backfill import backfill
from branchline.parity import Logged, Parity, compare
from fraud_detection.data.landed_columns import Columns
from fraud_detection.data.world import World
from fraud_detection.demo.replay import silver
from fraud_detection.features import definitions
from fraud_detection.scoring.parity import COLUMNS, batch_features, recomputed
from fraud_detection.scoring.stream import FraudScorer
from tests.live import Formula, arrivals, logged

WORLD = World(customers=40, terminals=12, days=50, seed=5)
LISTED = definitions("full", 7)


def scorer(store: SqliteStore) -> FraudScorer:
    return FraudScorer(store, Columns(), 7)


@cache
def batch() -> tuple[pa.Table, pa.Table]:
    """Silver, and its rows of gold.features."""
    transactions = silver(WORLD)
    return transactions, batch_features(transactions, 7)


def compared(log: Logged) -> Parity:
    return compare(log, recomputed(*batch(), 7, Formula()))


@pytest.fixture(scope="module")
def log() -> Logged:
    """The log of a stream with 5 % of transactions and labels late."""
    return logged(scorer(SqliteStore(Path(":memory:"))), arrivals(batch()[0], late=0.05))


def test_in_order_and_with_labels_in_time_no_value_differs() -> None:
    log = logged(scorer(SqliteStore(Path(":memory:"))), arrivals(batch()[0], late=0))
    found = compared(log)
    # A batch of the test has hours of labels: some count before they are delivered.
    assert found.events == batch()[0].num_rows and found.mismatches == 0
    assert set(found.reasons) <= {"label later than its delay"}


def test_late_events_and_labels_are_told_apart_and_nothing_else_differs(
        log: Logged) -> None:
    found = compared(log)
    assert found.events == batch()[0].num_rows > 3000 and found.values == 27 * found.events
    assert found.mismatches == 0 and found.late == 0 and not found.skipped
    assert {"event not seen yet", "label later than its delay"} <= set(found.reasons)
    assert found.explained == sum(found.reasons.values()) > 100
    assert Parity.from_json(found.to_json()) == found


def test_a_wrong_value_is_a_mismatch_with_its_example(log: Logged) -> None:
    [at] = [at for at, row in enumerate(log.events) if row["transaction_id"] == "700"]
    row, events = log.events[at], list(log.events)
    events[at] = {**row, "features": {**row["features"], "customer_count_7d": 99.0}}
    found = compared(replace(log, events=events))
    [column] = [column for column in found.columns if column.mismatches]
    assert (column.name, column.mismatches) == ("customer_count_7d", 1)
    assert column.examples[0].key == "700" and column.examples[0].logged == 99.0
    assert column.largest == 99.0 - row["features"]["customer_count_7d"]


def test_a_store_rebuilt_with_labels_that_the_stream_gets_later_is_a_reason() -> None:
    transactions = batch()[0]
    batches = list(arrivals(transactions, late=0))
    half = len(batches) // 2
    store = SqliteStore(Path(":memory:"))
    before = logged(scorer(store), iter(batches[:half]))
    seen = {row["transaction_id"] for row in before.events}
    is_seen = pc.is_in(transactions["transaction_id"], pa.array(sorted(seen)))
    backfill(store, LISTED, transactions.filter(is_seen), COLUMNS, now=half)
    # The labels of the two weeks after the rebuild never come by the stream.
    after = logged(scorer(store), ((events, []) for events, _ in batches[half:]), first=half + 1)
    log = Logged(before.events + after.events, before.labels + after.labels)
    found = compared(log)
    assert found.mismatches == 0 and found.reasons["store rebuilt"] > 0


def test_other_versions_and_unknown_events_are_skipped_and_counted(
        log: Logged) -> None:
    row: dict[str, Any] = log.events[700]
    others = [{**row, "features_version": "0"}, {**row, "transaction_id": "unknown"}]
    found = compared(replace(log, events=[*log.events, *others]))
    assert (found.events, found.mismatches) == (len(log.events), 0)
    assert found.skipped == {"version of the features": 27, "event not in silver": 27}


def test_an_event_that_came_too_late_is_counted_and_has_no_features() -> None:
    batches = list(arrivals(batch()[0], late=0))
    log = logged(scorer(SqliteStore(Path(":memory:"))), iter([*batches[1:], batches[0]]))
    found = compared(log)
    assert found.late > 0 and found.mismatches == 0
