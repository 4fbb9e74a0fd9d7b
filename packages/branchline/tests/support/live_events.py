"""Hypothesis streams of events, and the batch kernel's features of the events seen so far."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from branchline.features import kernel
from branchline.features.kernel import DAY, Complement, Definition, Product, Ratio, Window
from branchline.features.online import Event, SqliteStore

HOUR = DAY // 24
NAN = float("nan")


def memory() -> SqliteStore:
    return SqliteStore(Path(":memory:"))


def definitions(delay: int = 2) -> list[Definition]:
    """Every kind, windows of windows and aggregate, on cards and terminals."""
    of_card = [
        Window("count_1d", "card", "count", "amount", 1),
        Window("mean_3d", "card", "mean", "amount", 3),
        Window("ago", "card", "mean", "amount", 3, delay=2),
        Window("until_now", "card", "mean", "amount", 3, earlier=True),
        Ratio("to_usual", "card", "amount", ("ago", "until_now")),
        Product("_squared", "card", "to_usual", "to_usual"),
        Window("max_ratio", "card", "max", "to_usual", 2, earlier=True, empty=1.0),
        Window("mean_squared", "card", "mean", "_squared", 2, empty=1.0)]
    of_terminal: list[Definition] = [
        Window("seen", "terminal", "count", "present", 3, delay),
        Complement("_genuine", "terminal", "is_fraud")]
    of_terminal += [
        Window(f"{aggregate}_{value}", "terminal", aggregate, value, 3, delay, empty=None)
        for aggregate in kernel.AGGREGATES for value in ("is_fraud", "_genuine", "present")]
    return [*of_card, *of_terminal]


AMOUNT = st.one_of(st.floats(0, 1e9), st.sampled_from([0.0, 0.1, 20.0, 99.99, NAN]))


@st.composite
def streams(draw: st.DrawFn, most: int = 30) -> list[Event]:
    """Events as they arrive: times of whole hours, so that some are the same, in any order."""
    ids = draw(st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=most, unique=True))
    return [Event(key, draw(st.integers(0, 24 * 12)) * HOUR,
                  {"card": draw(st.sampled_from("ab")), "terminal": draw(st.sampled_from("xy"))},
                  {"amount": draw(AMOUNT), "is_fraud": draw(st.sampled_from([0.0, 1.0, NAN]))})
            for key in ids]


class Seen:
    """The events that an entity's windows have seen, for the batch kernel."""

    def __init__(self, listed: Sequence[Definition], lateness_days: int) -> None:
        self.listed = {entity: [each for each in listed if each.entity == entity]
                       for entity in ("card", "terminal")}
        self.lateness = lateness_days * DAY
        self.events: dict[tuple[str, str], list[Event]] = {}

    def add(self, event: Event) -> bool:
        """Add the event where it is in time; whether it was in time for all of its entities."""
        in_time = True
        for place in event.entities.items():
            there = self.events.setdefault(place, [])
            if there and event.time < max(each.time for each in there) - self.lateness:
                in_time = False
            else:
                there.append(event)
        return in_time

    def label(self, label: Event) -> None:
        for there in self.events.values():
            for at, event in enumerate(there):
                if event.id == label.id:
                    there[at] = Event(event.id, event.time, event.entities,
                                      {**event.values, **label.values})

    def row(self, event: Event) -> dict[str, float]:
        """The kernel's features of one event among all that were seen."""
        found: dict[str, float] = {}
        for place in event.entities.items():
            events = sorted(self.events[place], key=lambda each: each.order)
            values = {name: np.array([each.values.get(name, NAN) for each in events])
                      for name in ("amount", "is_fraud")}
            computed = kernel.compute(self.listed[place[0]], np.zeros(len(events), np.int64),
                                      np.array([each.time for each in events]), values)
            at = [each.id for each in events].index(event.id)
            found |= {name: float(column[at]) for name, column in computed.items()}
        return found


def bits(row: dict[str, float], names: Sequence[str]) -> dict[str, bytes]:
    """Each value's bits; those of NaN are one."""
    return {name: b"nan" if row[name] != row[name] else np.float64(row[name]).tobytes()
            for name in names}
