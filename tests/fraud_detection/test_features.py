from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from fraud_detection import features
from fraud_detection.features import definitions
from support.naive_features import DAY, EVENT, HOUR, Event, computed, naive


@pytest.mark.parametrize(("time", "weekend", "night"), [
    (0, 0, 1),                                # Thursday 1970-01-01 00:00
    (2 * DAY + 7 * HOUR, 1, 0),               # Saturday 07:00
    (3 * DAY + 7 * HOUR - 1, 1, 1),           # Sunday 06:59:59.999
    (4 * DAY + 23 * HOUR, 0, 0),              # Monday 23:00
])
def test_weekend_and_night_are_utc(time: int, weekend: int, night: int) -> None:
    found = features.calendar(np.array([time]))
    assert (found["weekend"][0], found["night"][0]) == (weekend, night)


def test_the_full_set_begins_with_the_published_fifteen() -> None:
    published = features.names("published")
    assert len(published) == 15 and features.names("full")[:15] == published
    assert list(features.meanings()) == features.names("full")


@settings(max_examples=50)
@given(st.lists(EVENT, min_size=1, max_size=30).map(sorted), st.sampled_from([1, 7]))
def test_the_features_are_their_definitions_word_by_word(events: list[Event], delay: int) -> None:
    listed = definitions("full", delay)
    expected, found = naive(listed, events), computed(listed, events)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=2e-6, err_msg=name)


@settings(max_examples=100)
@given(st.lists(EVENT, min_size=1, max_size=30).map(sorted), st.integers(0, 29))
def test_no_label_is_seen_before_it_is_known(events: list[Event], changed: int) -> None:
    listed = definitions("full", 7)
    before = computed(listed, events)
    at = changed % len(events)
    other = [(*event[:3], 1.0 if position == at and event[3] != 1 else event[3])
             for position, event in enumerate(events)]
    after = computed(listed, other)
    time = np.array([event[1] for event in events]) * HOUR
    unknown = time < time[at] + 7 * DAY
    for name in features.names("full")[3:]:
        assert np.array_equal(before[name][unknown], after[name][unknown]), name
