"""The online store's one event: read, features, append; embedded, Redis, and the kernel's call."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from branchline.features import kernel
from branchline.features.kernel import DAY
from branchline.features.online import Event, OnlineFeatures, SqliteStore, Store
from branchline.features.online.plan import Plan
from branchline.features.online.redis_store import RedisStore
from fraud_detection.features import definitions

sys.path.append(str(Path(__file__).parents[1] / "packages" / "branchline" / "tests"))

CARDS, TERMINALS = 300, 95  # 95 events of a card, 300 of a terminal: as in the published data
EVENTS, DAYS = 28_500, 65
CALLS, BATCH = 1000, 200
LISTED = definitions("full", label_delay=7)


def run() -> None:
    from support.redis_server import redis_server
    table = Table("one event, microseconds", "p50", "ratio", box=None)
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as server:
        call = _kernel()
        table.add_row("the kernel's call on its 95 and 300 events", f"{call:,.0f}", "1")
        alone = _one_event()
        table.add_row("its features alone, both histories loaded", f"{alone:,.1f}",
                      f"1/{call / alone:.1f}")
        for name, store in (("embedded", SqliteStore(Path(folder, "events.db"))),
                            ("Redis", RedisStore(server.url))):
            with closing(store):
                for doing, cost in _costs(store):
                    table.add_row(f"{name}: {doing}", f"{cost:,.1f}", f"1/{call / cost:.1f}")
    Console(width=100, highlight=False).print(table)


def _events() -> list[Event]:
    source = random.Random(0)
    return [Event(f"{number:08}", number * DAYS * DAY // EVENTS,
                  {"customer_id": str(source.randrange(CARDS)),
                   "terminal_id": str(source.randrange(TERMINALS))},
                  {"amount": round(source.lognormvariate(3.5, 1), 2),
                   "is_fraud": float(source.random() < 0.01)}) for number in range(EVENTS)]


def _costs(store: Store) -> Iterator[tuple[str, float]]:
    online, events = OnlineFeatures(store, LISTED), _events()
    for first in range(0, EVENTS, 500):
        online.append(events[first:first + 500])
    last = events[-1].time
    new = [Event(f"new{number:06}", last + number, events[number].entities, {"amount": 12.5})
           for number in range(CALLS)]
    pairs = [[f"{name}/{value}" for name, value in event.entities.items()] for event in new]
    yield "read both histories", _median(lambda at: store.read(pairs[at]))
    yield "features, without adding it", _median(lambda at: online.features([new[at]]))
    yield "append, features included", _median(lambda at: online.append([new[at]]))
    again = [Event("b" + event.id, event.time + DAY, event.entities, event.values)
             for event in new]
    yield f"append, in batches of {BATCH}", _median(
        lambda at: online.append(again[at * BATCH:(at + 1) * BATCH]), len(again) // BATCH) / BATCH


def _one_event() -> float:
    loaded = []
    for entity, size in (("customer_id", 95), ("terminal_id", 300)):
        plan = Plan([each for each in LISTED if each.entity == entity])
        history = plan.history(None)
        for at in range(size):
            plan.insert(history, at, at * DAYS * DAY // size, str(at),
                        {"amount": 12.5 + at % 7, "is_fraud": float(at % 50 == 0)})
        loaded.append((plan, history, size - 1))
    return _median(lambda at: [plan.row(history, last) for plan, history, last in loaded])


def _kernel() -> float:
    """The vectorised kernel for one event: a call for its card, and one for its terminal."""
    source = np.random.default_rng(0)
    calls = []
    for entity, size in (("customer_id", 95), ("terminal_id", 300)):
        listed = [each for each in LISTED if each.entity == entity]
        times = np.sort(source.integers(0, DAYS * DAY, size))
        values = {"amount": source.lognormal(3.5, 1, size),
                  "is_fraud": (source.random(size) < 0.01).astype(float)}
        calls.append((listed, np.zeros(size, np.int64), times, values))
    return _median(lambda at: [kernel.compute(*call) for call in calls])


def _median(action: Callable[[int], object], calls: int = CALLS) -> float:
    """Microseconds of a call; `action` is called with 0, 1, ..."""
    taken = []
    for at in range(calls):
        started = time.perf_counter_ns()
        action(at)
        taken.append(time.perf_counter_ns() - started)
    return float(np.median(taken)) / 1000
