from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings

from branchline.errors import BadInput
from branchline.features.arrow import EventColumns
from branchline.features.kernel import DAY
from branchline.features.online import Event, OnlineFeatures, SqliteStore
from branchline.features.online.backfill import backfill
from support.live_events import bits, definitions, memory, streams

LISTED = definitions()
COLUMNS = EventColumns("id", "at", ("amount", "is_fraud"))


def table(events: list[Event]) -> pa.Table:
    def known(name: str) -> list[float | None]:
        return [value if value == value else None
                for value in (event.values[name] for event in events)]

    return pa.table({
        "id": [event.id for event in events],
        "at": pa.array([event.time * 1000 for event in events], pa.timestamp("us", "UTC")),
        "card": [event.entities["card"] for event in events],
        "terminal": [event.entities["terminal"] for event in events],
        "amount": pa.array(known("amount"), pa.float64()),
        "is_fraud": pa.array(known("is_fraud"), pa.float64())})


def contents(store: SqliteStore) -> dict[str, bytes | None]:
    keys = sorted(store.keys())
    return dict(zip(keys, store.read(keys), strict=True))


@settings(max_examples=100)
@given(streams())
def test_a_store_that_is_filled_is_the_one_that_came_about_event_by_event(
        arrived: list[Event]) -> None:
    one_by_one, filled = memory(), memory()
    online = OnlineFeatures(one_by_one, LISTED, 30)
    for event in arrived:
        online.append([event])
    count = backfill(filled, LISTED, table(arrived), COLUMNS, 30)
    assert contents(filled) == contents(one_by_one) and count == len(contents(filled))


@settings(max_examples=30)
@given(streams())
def test_after_a_backfill_the_next_event_has_the_same_features(arrived: list[Event]) -> None:
    one_by_one, filled = memory(), memory()
    first = OnlineFeatures(one_by_one, LISTED, 1)
    in_order = sorted(arrived, key=lambda event: event.order)
    for event in in_order[:-1]:
        first.append([event])
    backfill(filled, LISTED, table(in_order[:-1]), COLUMNS, 1)
    [expected] = first.append(in_order[-1:])
    [found] = OnlineFeatures(filled, LISTED, 1).append(in_order[-1:])
    assert expected and found
    assert bits(found, list(expected)) == bits(expected, list(expected))


def test_months_of_many_entities_are_filled() -> None:
    events = [Event(str(number), number * DAY, {"card": str(number % 40), "terminal": "x"},
                    {"amount": 1.0, "is_fraud": 0.0}) for number in range(400)]
    store = memory()
    assert backfill(store, LISTED, table(events), COLUMNS, 500) == 41
    online = OnlineFeatures(store, LISTED, 500)
    assert online.history("card", "39").times.tolist() == [
        number * DAY for number in range(39, 400, 40)]


def test_a_backfill_replaces_what_was_there() -> None:
    store = memory()
    OnlineFeatures(store, LISTED).append([Event("1", 0, {"card": "old", "terminal": "x"}, {})])
    event = Event("2", 0, {"card": "a", "terminal": "x"}, {"amount": 1.0, "is_fraud": 0.0})
    backfill(store, LISTED, table([event]), COLUMNS)
    assert sorted(store.keys()) == ["card/a", "terminal/x"]


def test_a_store_with_an_interrupted_filling_is_refused_until_filled_again() -> None:
    store = memory()
    event = Event("1", 0, {"card": "a", "terminal": "x"}, {"amount": 1.0, "is_fraud": 0.0})
    with pytest.raises(KeyError):
        backfill(store, LISTED, table([event]).drop(["terminal"]), COLUMNS)
    with pytest.raises(BadInput, match="filling it was interrupted"):
        OnlineFeatures(store, LISTED)
    backfill(store, LISTED, table([event]), COLUMNS)
    assert OnlineFeatures(store, LISTED).features([event])[0] is not None
