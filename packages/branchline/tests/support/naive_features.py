"""Hypothesis events, and naive features event by event, to compare with the kernel's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from branchline.features import kernel
from branchline.features.kernel import Complement, Definition, Product, Ratio, Window

HOUR = 3_600_000
DAY = 24 * HOUR

Event = tuple[int, int, float, float]
EVENT = st.tuples(
    st.integers(0, 2), st.integers(0, 24 * 12), st.sampled_from([0.0, 1.5, 20.0, 99.99]),
    st.sampled_from([0.0, 0.0, 1.0, float("nan")]))


def naive(listed: Sequence[Definition], events: Sequence[Event]) -> dict[str, list[float]]:
    """The definitions, event by event and word by word."""
    rows = [{"entity": entity, "time": time * HOUR, "present": 1.0, "amount": amount,
             "is_fraud": fraud} for entity, time, amount, fraud in events]
    for each in listed:
        for at, row in enumerate(rows):
            if isinstance(each, Ratio):
                under = next((row[name] for name in each.under if row[name] != 0), 0)
                row[each.name] = min(row[each.over] / under, 1000) if under > 0 else 1.0
            elif isinstance(each, Product):
                row[each.name] = row[each.left] * row[each.right]
            elif isinstance(each, Complement):
                row[each.name] = 1 - row[each.of]
            else:
                row[each.name] = one_window(each, rows, at)
    return {each.name: [row[each.name] for row in rows] for each in listed}


def one_window(each: Window, rows: Sequence[dict[str, float]], at: int) -> float:
    now = rows[at]["time"]
    start, end = now - (each.days + each.delay) * DAY, now - each.delay * DAY
    seen = [row for position, row in enumerate(rows)
            if row["entity"] == rows[at]["entity"] and start < row["time"] <= end
            and not np.isnan(row[each.value])
            and (each.delay > 0 or position < at or (position == at and not each.earlier))]
    empty = each.days + each.delay if each.empty is None else each.empty
    values = [row[each.value] for row in seen]
    hits = [row for row in seen if row[each.value] > 0]
    run = []
    for row in reversed(seen):
        if row[each.value] <= 0:
            break
        run.append(row)
    found = {
        "count": lambda: float(len(seen)),
        "mean": lambda: sum(values) / len(values) if values else empty,
        "max": lambda: max(values, default=empty),
        "since_last": lambda: (now - hits[-1]["time"]) / DAY if hits else empty,
        "since_first": lambda: (now - hits[0]["time"]) / DAY if hits else empty,
        "run": lambda: float(len(run)),
        "since_run_start": lambda: (now - run[-1]["time"]) / DAY if run else empty,
    }
    return float(found[each.aggregate]())


def computed(listed: Sequence[Definition], events: Sequence[Event]) -> dict[str, np.ndarray]:
    """The same by the kernel."""
    entity, time, amount, fraud = (np.array(column) for column in zip(*events, strict=True))
    return kernel.compute(listed, entity, time * HOUR, {"amount": amount, "is_fraud": fraud})
