from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings, strategies as st

from branchline.errors import BadInput
from branchline.features.kernel import DAY, Window
from branchline.features.online import Event, OnlineFeatures
from support.live_events import HOUR, Seen, bits, definitions, memory, streams

LISTED = definitions()
NAMES = [each.name for each in LISTED]
RATE = [Window("rate", "terminal", "mean", "is_fraud", 1, delay=7)]


def sold(key: str, time: int, **values: float) -> Event:
    return Event(key, time, {"terminal": "x"}, values)


@settings(max_examples=150)
@given(streams(), st.sampled_from([1, 4, 30]))
def test_each_arriving_event_has_the_kernel_s_features_to_the_bit(
        arrived: list[Event], lateness: int) -> None:
    online, seen = OnlineFeatures(memory(), LISTED, lateness), Seen(LISTED, lateness)
    for event in arrived:
        [row] = online.append([event])
        if seen.add(event):
            assert row is not None and bits(row, NAMES) == bits(seen.row(event), NAMES)
        else:
            assert row is None


@settings(max_examples=100)
@given(streams(), st.data())
def test_values_that_come_late_and_in_any_order_count_as_if_known_from_the_start(
        arrived: list[Event], data: st.DataObject) -> None:
    online, seen = OnlineFeatures(memory(), LISTED, 30), Seen(LISTED, 30)
    for event in arrived:
        seen.add(event)
        online.append([Event(event.id, event.time, event.entities, {})])
    for event in data.draw(st.permutations(arrived)):
        for name, value in event.values.items():
            late = Event(event.id, event.time, event.entities, {name: value})
            assert online.deliver([late]) == []
    for event in arrived:
        [row] = online.features([event])
        assert row is not None and bits(row, NAMES) == bits(seen.row(event), NAMES)


@settings(max_examples=50)
@given(streams(), st.integers(1, 10))
def test_events_of_one_batch_see_one_another_by_time_whatever_their_order(
        arrived: list[Event], size: int) -> None:
    online, seen = OnlineFeatures(memory(), LISTED, 30), Seen(LISTED, 30)
    for first in range(0, len(arrived), size):
        batch = arrived[first:first + size]
        for event in batch:
            seen.add(event)
        for event, row in zip(batch, online.append(batch), strict=True):
            assert row is not None and bits(row, NAMES) == bits(seen.row(event), NAMES)


@settings(max_examples=50)
@given(streams())
def test_a_replay_from_the_beginning_changes_nothing(arrived: list[Event]) -> None:
    store = memory()
    online = OnlineFeatures(store, LISTED, 30)
    online.append(arrived)
    keys = sorted(store.keys())
    before = store.read(keys)
    for first, second in zip(online.features(arrived), online.append(arrived), strict=True):
        assert first and second and bits(first, NAMES) == bits(second, NAMES)
    assert store.read(keys) == before and sorted(store.keys()) == keys


def test_a_label_counts_from_its_delay_on_to_the_second() -> None:
    online = OnlineFeatures(memory(), RATE)
    online.append([sold("1", 0)])
    online.deliver([sold("1", 0, is_fraud=1.0)])
    rows = online.features([sold("2", 7 * DAY - 1000), sold("3", 7 * DAY)])
    assert [row and row["rate"] for row in rows] == [0.0, 1.0]


def test_a_label_without_its_event_is_handed_back() -> None:
    online = OnlineFeatures(memory(), RATE)
    online.append([sold("1", 0)])
    early = sold("2", HOUR, is_fraud=1.0)
    assert online.deliver([early, sold("1", 0, is_fraud=0.0)]) == [early]


def test_an_entity_is_forgotten_when_no_window_reaches_its_newest_event() -> None:
    online = OnlineFeatures(memory(), RATE, lateness_days=2)
    online.append([sold("1", 0), Event("2", DAY, {"terminal": "y"}, {})])
    assert online.expire(10 * DAY - 1) == 0
    assert online.expire(10 * DAY) == 1
    assert len(online.history("terminal", "x").times) == 0
    assert len(online.history("terminal", "y").times) == 1


def test_a_history_stays_as_short_as_the_windows_reach() -> None:
    online = OnlineFeatures(memory(), RATE, lateness_days=0)
    for day in range(100):
        online.append([sold(str(day), day * DAY)])
    assert 8 <= len(online.history("terminal", "x").times) <= 10


def test_a_value_too_large_to_be_summed_is_refused_and_nothing_is_added() -> None:
    online = OnlineFeatures(memory(), RATE)
    with pytest.raises(BadInput, match="event 2: is_fraud is 1e"):
        online.append([sold("1", 0), sold("2", 0, is_fraud=1e13)])
    assert len(online.history("terminal", "x").times) == 0


def test_a_store_of_other_definitions_is_refused() -> None:
    store = memory()
    OnlineFeatures(store, RATE).append([sold("1", 0)])
    other = OnlineFeatures(store, [Window("rate", "terminal", "mean", "is_fraud", 2, delay=7)])
    with pytest.raises(BadInput, match="filled for other feature definitions"):
        other.features([sold("2", 0)])


def test_the_online_store_imports_neither_spark_nor_mlflow_nor_a_client() -> None:
    script = ("import sys, branchline.features.online, branchline.features.online.backfill; "
              "print(*{name.partition('.')[0] for name in sys.modules})")
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                            check=True).stdout.split()
    assert "numpy" in loaded
    assert not {"pyspark", "mlflow", "pandas", "redis", "confluent_kafka"} & set(loaded)
