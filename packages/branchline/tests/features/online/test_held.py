"""Histories in memory: the same features, and a store that is behind but never wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from branchline.features.online import Event, HeldFeatures, OnlineFeatures, SqliteStore, Store
from branchline.features.online.redis_store import RedisStore
from support.live_events import HOUR, bits, definitions, memory, streams

LISTED = definitions()
NAMES = [each.name for each in LISTED]
PLACE = "kafka://events/0"


def sold(number: int, card: str = "a") -> Event:
    return Event(str(number), number * HOUR, {"card": card, "terminal": "x"},
                 {"amount": 1.5 + number, "is_fraud": float(number % 3 == 0)})


def records(store: Store) -> dict[str, bytes | None]:
    keys = sorted(store.keys())
    return dict(zip(keys, store.read(keys), strict=True))


@settings(max_examples=60)
@given(streams(), st.integers(1, 7), st.sampled_from([0.0, 1e9]))
def test_features_and_in_the_end_the_store_are_those_of_a_store_that_is_always_written(
        arrived: list[Event], size: int, seconds: float) -> None:
    one, other = memory(), memory()
    direct, held = OnlineFeatures(one, LISTED, 30), HeldFeatures(other, LISTED, 30, seconds)
    for first in range(0, len(arrived), size):
        batch = arrived[first:first + size]
        late = [each._replace(values={"amount": each.time / HOUR}) for each in arrived[:first]]
        for found, expected in zip(held.append(batch), direct.append(batch), strict=True):
            assert found and expected and bits(found, NAMES) == bits(expected, NAMES)
        assert held.deliver(late) == direct.deliver(late) == []
        assert held.committed({})
    assert held.save()
    assert records(other) == records(one)


@settings(max_examples=60)
@given(streams(), st.data())
def test_after_a_kill_the_stream_from_the_saved_offset_leads_to_the_same_store(
        arrived: list[Event], data: st.DataObject) -> None:
    undisturbed, store = memory(), memory()
    OnlineFeatures(undisturbed, LISTED, 30).append(arrived)
    at = 0
    while at < len(arrived):  # each life of the process reads on from what is saved
        held = HeldFeatures(store, LISTED, 30, seconds=1e9)
        [saved] = held.offsets([PLACE])
        begin = saved or 0
        for number in range(begin, min(at + data.draw(st.integers(1, 9)), len(arrived))):
            held.append([arrived[number]])
            assert held.committed({PLACE: number + 1})
            at = max(at, number + 1)
            if data.draw(st.booleans()):
                held.save(seconds=data.draw(st.sampled_from([-1.0, 1e9])))
    held = HeldFeatures(store, LISTED, 30)
    [saved] = held.offsets([PLACE])
    held.append(arrived[saved or 0:])
    held.committed({})
    held.save()
    assert {key: record for key, record in records(store).items() if key != PLACE} == records(
        undisturbed)


def test_nothing_is_written_before_it_is_due_and_then_with_its_offsets() -> None:
    store = memory()
    held = HeldFeatures(store, LISTED, seconds=1e9)
    held.append([sold(1)])
    held.committed({PLACE: 1})
    held.append([sold(2, "b")])  # of a batch that is not committed yet
    assert list(store.keys()) == []
    held.save()
    assert sorted(store.keys()) == ["card/a", PLACE, "terminal/x"]
    assert held.offsets([PLACE, "kafka://events/1"]) == [1, None]


def test_what_was_not_saved_is_forgotten() -> None:
    store = memory()
    held = HeldFeatures(store, LISTED, seconds=1e9)
    held.append([sold(1)])
    held.forget()
    held.committed({})
    held.save()
    assert list(store.keys()) == []


def test_a_store_that_another_process_wrote_is_noticed_and_nothing_of_it_is_lost(
        tmp_path: Path) -> None:
    mine, theirs = (SqliteStore(tmp_path / "events.db") for _ in range(2))
    held, other = HeldFeatures(mine, LISTED, seconds=1e9), OnlineFeatures(theirs, LISTED)
    held.append([sold(1)])
    assert held.committed({PLACE: 1}) and not held.is_shared
    other.append([sold(2)])
    held.append([sold(3)])
    assert not held.committed({PLACE: 2})
    held.forget()
    assert held.is_shared
    held.append([sold(1), sold(3)])
    other.append([sold(4)])  # while the batch is being scored
    assert held.committed({PLACE: 2})
    assert [other.history("card", "a").id(at) for at in range(4)] == ["1", "2", "3", "4"]
    assert held.offsets([PLACE]) == [2]


def test_a_server_s_store_is_written_after_each_batch_onto_what_others_wrote(
        redis_url: str, tmp_path: Path) -> None:
    mine, theirs = (RedisStore(redis_url, tmp_path.name) for _ in range(2))
    held, other = HeldFeatures(mine, LISTED, seconds=1e9), OnlineFeatures(theirs, LISTED)
    held.append([sold(1)])
    assert held.is_shared and held.committed({PLACE: 1})
    held.append([sold(2)])
    held.deliver([Event("1", HOUR, {"terminal": "x"}, {"is_fraud": 0.0})])
    other.append([sold(3)])
    assert held.committed({PLACE: 2})
    history = other.history("terminal", "x")
    assert [history.id(at) for at in range(3)] == ["1", "2", "3"]
    assert history.series["is_fraud"].values.tolist() == [0.0, 0.0, 1.0]
    assert held.offsets([PLACE]) == [2]
    for store in (mine, theirs):
        store.close()


def test_a_server_that_lost_what_was_saved_is_noticed_and_nothing_is_written_onto_it(
        redis_url: str, tmp_path: Path) -> None:
    store = RedisStore(redis_url, tmp_path.name)
    held = HeldFeatures(store, LISTED)
    assert held.offsets([PLACE]) == [None]
    held.append([sold(1)])
    assert held.committed({PLACE: 1})
    before = records(store)
    held.append([sold(2)])
    assert held.committed({PLACE: 2})
    store.update(list(before), lambda _: list(before.values()))  # as after a kill
    held.append([sold(3)])
    assert not held.committed({PLACE: 3}) and records(store) == before
    held.forget()
    assert held.offsets([PLACE]) == [1]
    store.close()


@pytest.mark.parametrize("most", [0, 1])
def test_histories_that_are_saved_leave_the_memory_when_they_are_too_many(
        most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("branchline.features.online.held.MOST", most)
    held, direct = HeldFeatures(memory(), LISTED, seconds=0.0), OnlineFeatures(memory(), LISTED)
    for number in range(20):
        event = sold(number, "abc"[number % 3])
        [found], [expected] = held.append([event]), direct.append([event])
        assert held.committed({}) and len(held._histories) <= most + 1
        assert found and expected and bits(found, NAMES) == bits(expected, NAMES)
