"""A stream of months through the online store, with the example's own definitions."""

from __future__ import annotations

import random

import numpy as np
import pytest

from branchline.features.kernel import DAY, compute, time_order
from branchline.features.online import Event, OnlineFeatures
from fraud_detection.features import definitions, kept
from support.live_events import bits, memory

LISTED = definitions("full", label_delay=7)
NAMES = [each.name for each in kept(LISTED)]
SECOND = 1000
EVENTS, DAYS = 6000, 120


def stream(source: random.Random) -> list[Event]:
    """In whole seconds, so that some are of one time; labels are not among the values."""
    return [Event(str(number), source.randrange(DAYS * DAY // SECOND) * SECOND,
                  {"customer_id": str(source.randrange(12)),
                   "terminal_id": str(source.randrange(6))},
                  {"amount": round(source.lognormvariate(3.5, 1.2), 2)})
            for number in range(EVENTS)]


def batch(events: list[Event], labels: dict[str, float]) -> dict[str, dict[str, float]]:
    """The kernel's features of all events, by id."""
    found: dict[str, dict[str, float]] = {event.id: {} for event in events}
    times = np.array([event.time for event in events])
    values = {"amount": np.array([event.values["amount"] for event in events]),
              "is_fraud": np.array([labels[event.id] for event in events])}
    for entity in ("customer_id", "terminal_id"):
        numbers = np.array([int(event.entities[entity]) for event in events])
        order = time_order(numbers, times, [event.id for event in events])
        computed = compute([each for each in LISTED if each.entity == entity], numbers[order],
                           times[order], {name: column[order] for name, column in values.items()})
        for name, column in computed.items():
            for at, row in enumerate(order):
                found[events[row].id][name] = float(column[at])
    return found


@pytest.mark.parametrize("seed", [0, 1])
def test_months_of_late_events_and_labels_get_the_same_features_as_batch(seed: int) -> None:
    source = random.Random(seed)
    events = stream(source)
    labels = {event.id: float(source.random() < 0.05) for event in events}
    expected = batch(events, labels)
    # What happens, in the order in which it does: an event is up to two days late, its label comes
    # at the latest as it begins to count; both are asked for when no earlier event is left.
    happening = [(event.time + delay, number, event) for event in events for number, delay in (
        (0, int(source.random() ** 4 * 2 * DAY)), (1, source.randrange(2 * DAY, 7 * DAY)),
        (2, 3 * DAY))]
    online, asked = OnlineFeatures(memory(), LISTED), 0
    for _, what, event in sorted(happening, key=lambda each: each[:2]):
        if what == 0:
            online.append([event])
        elif what == 1:
            label = Event(event.id, event.time, event.entities, {"is_fraud": labels[event.id]})
            assert online.deliver([label]) == []
        else:
            [row] = online.features([event])
            assert row and bits(row, NAMES) == bits(expected[event.id], NAMES), event.id
            asked += 1
    assert asked == EVENTS
