from __future__ import annotations

import numpy as np
import pytest

from branchline.features.kernel import DAY
from fraud_detection import features

HOUR = 3_600_000


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
