from __future__ import annotations

import numpy as np
from hypothesis import given, settings, strategies as st

from branchline.features import kernel
from branchline.features.kernel import Complement, Definition, Product, Ratio, Window
from support.naive_features import DAY, EVENT, Event, computed, naive


def features(delay: int) -> list[Definition]:
    """Definitions of every kind, some made of others; `is_fraud` is known after `delay` days."""
    return [Window("count_1d", "card", "count", "amount", 1),
            Window("mean_7d", "card", "mean", "amount", 7),
            Window("until_now", "card", "mean", "amount", 30, earlier=True),
            Ratio("to_usual", "card", "amount", ("mean_7d", "until_now")),
            Product("squared", "card", "to_usual", "to_usual"),
            Window("mean_squared", "card", "mean", "squared", 3, empty=1.0),
            Window("max_ratio", "card", "max", "to_usual", 3, earlier=True, empty=1.0),
            Window("fraud_run", "card", "run", "is_fraud", 30, delay),
            Complement("is_genuine", "card", "is_fraud"),
            Window("since_genuine", "card", "since_last", "is_genuine", 30, delay, empty=None)]


@settings(max_examples=150)
@given(st.lists(EVENT, min_size=1, max_size=40).map(sorted), st.sampled_from([0, 1, 7]))
def test_the_kernel_is_the_definition_word_by_word(
        events: list[Event], delay: int) -> None:
    short = [Window(f"{aggregate}_{value}_{days}_{delay}_{earlier}", "customer_id", aggregate,
                    value, days, delay, earlier, empty=None)
             for aggregate in kernel.AGGREGATES for value in ("amount", "is_fraud")
             for days in (1, 3) for earlier in ([False, True] if delay == 0 else [False])]
    for listed in (short, features(max(delay, 1))):
        expected, found = naive(listed, events), computed(listed, events)
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], atol=2e-6, err_msg=name)


@settings(max_examples=100)
@given(st.lists(EVENT, min_size=2, max_size=40).map(sorted), st.data())
def test_an_event_s_features_do_not_depend_on_what_is_computed_with_it(
        events: list[Event], data: st.DataObject) -> None:
    listed = features(7)
    together = computed(listed, events)
    entity = data.draw(st.sampled_from(sorted({event[0] for event in events})))
    until = data.draw(st.integers(1, sum(event[0] == entity for event in events)))
    positions = [at for at, event in enumerate(events) if event[0] == entity][:until]
    alone = computed(listed, [events[at] for at in positions])
    for name in alone:
        assert np.array_equal(alone[name], together[name][positions], equal_nan=True), name


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
