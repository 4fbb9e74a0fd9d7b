from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings, strategies as st

from branchline.features import kernel
from branchline.features.kernel import Definition, Product, Ratio, Window
from fraud_detection.features import definitions

HOUR = 3_600_000
DAY = 24 * HOUR

EVENT = st.tuples(
    st.integers(0, 2), st.integers(0, 24 * 12), st.sampled_from([0.0, 1.5, 20.0, 99.99]),
    st.sampled_from([0.0, 0.0, 1.0, float("nan")]))


def naive(listed: Sequence[Definition], events: Sequence[tuple[int, int, float, float]],
          ) -> dict[str, list[float]]:
    """The definitions, event by event and word by word."""
    rows = [{"entity": entity, "time": time * HOUR, "present": 1.0, "amount": amount,
             "is_fraud": fraud, "is_genuine": 1 - fraud} for entity, time, amount, fraud in events]
    for each in listed:
        for at, row in enumerate(rows):
            if isinstance(each, Ratio):
                under = next((row[name] for name in each.under if row[name] != 0), 0)
                row[each.name] = min(row[each.over] / under, 1000) if under > 0 else 1.0
            elif isinstance(each, Product):
                row[each.name] = row[each.left] * row[each.right]
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


def computed(listed: Sequence[Definition], events: Sequence[tuple[int, int, float, float]],
             ) -> dict[str, np.ndarray]:
    entity, time, amount, fraud = (np.array(column) for column in zip(*events, strict=True))
    return kernel.compute(listed, entity, time * HOUR, {"amount": amount, "is_fraud": fraud})


@settings(max_examples=150)
@given(st.lists(EVENT, min_size=1, max_size=40).map(sorted), st.sampled_from([0, 1, 7]))
def test_the_kernel_is_the_definition_word_by_word(
        events: list[tuple[int, int, float, float]], delay: int) -> None:
    short = [Window(f"{aggregate}_{value}_{days}_{delay}_{earlier}", "customer_id", aggregate,
                    value, days, delay, earlier, empty=None)
             for aggregate in kernel.AGGREGATES for value in ("amount", "is_fraud")
             for days in (1, 3) for earlier in ([False, True] if delay == 0 else [False])]
    for listed in (short, list(definitions("full", max(delay, 1)))):
        expected, found = naive(listed, events), computed(listed, events)
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], atol=2e-6, err_msg=name)


@settings(max_examples=100)
@given(st.lists(EVENT, min_size=2, max_size=40).map(sorted), st.data())
def test_an_event_s_features_do_not_depend_on_what_is_computed_with_it(
        events: list[tuple[int, int, float, float]], data: st.DataObject) -> None:
    listed = definitions("full", 7)
    together = computed(listed, events)
    entity = data.draw(st.sampled_from(sorted({event[0] for event in events})))
    until = data.draw(st.integers(1, sum(event[0] == entity for event in events)))
    positions = [at for at, event in enumerate(events) if event[0] == entity][:until]
    alone = computed(listed, [events[at] for at in positions])
    for name in alone:
        assert np.array_equal(alone[name], together[name][positions]), name


@settings(max_examples=100)
@given(st.lists(EVENT, min_size=1, max_size=30).map(sorted), st.integers(0, 29))
def test_no_label_is_seen_before_it_is_known(
        events: list[tuple[int, int, float, float]], changed: int) -> None:
    listed = definitions("full", 7)
    before = computed(listed, events)
    at = changed % len(events)
    other = [(*event[:3], 1.0 if position == at and event[3] != 1 else event[3])
             for position, event in enumerate(events)]
    after = computed(listed, other)
    time = np.array([event[1] for event in events]) * HOUR
    unknown = time < time[at] + 7 * DAY
    for name in before:
        assert np.array_equal(before[name][unknown], after[name][unknown]), name


def test_a_label_is_seen_seven_days_later_to_the_second() -> None:
    listed = [Window("rate", "terminal_id", "mean", "is_fraud", 1, delay=7)]
    time = np.array([0, 7 * DAY - 1000, 7 * DAY])
    found = kernel.compute(listed, np.zeros(3, np.int64), time,
                           {"amount": np.ones(3), "is_fraud": np.array([1.0, 0.0, 0.0])})
    assert found["rate"].tolist() == [0.0, 0.0, 1.0]


def test_events_of_one_time_are_ordered_by_id_numbers_as_numbers() -> None:
    entity, time = np.zeros(4, np.int64), np.array([5, 5, 5, 4])
    assert kernel.time_order(entity, time, ["10", "9", "a1", "x"]).tolist() == [3, 1, 0, 2]


def test_the_order_holds_for_no_events_and_for_times_too_far_apart_for_one_key() -> None:
    nothing = np.array([], np.int64)
    assert kernel.time_order(nothing, nothing, []).tolist() == []
    entity, time = np.array([1, 0, 0]), np.array([0, 2**62, 0])
    assert kernel.time_order(entity, time, ["a", "b", "c"]).tolist() == [2, 1, 0]


def test_look_back_adds_up_through_windows_of_windows() -> None:
    listed = [Window("a", "customer_id", "mean", "amount", 30, delay=14),
              Ratio("b", "customer_id", "amount", ("a",)),
              Window("c", "customer_id", "max", "b", 7)]
    assert kernel.look_back_days(listed) == 51
