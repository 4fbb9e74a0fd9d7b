"""Training sets against a plain implementation: what a loop over all rows would find."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from branchline import BadInput, Column, Table, training_set

pytestmark = pytest.mark.spark

START, SECOND, DELAY = datetime(2024, 3, 30, tzinfo=timezone.utc), timedelta(seconds=1), 4
EVENTS = Table("gold.events", "What was known of a card at an event", ("id",), (
    Column("id", "STRING", "The event", True), Column("at", "TIMESTAMP", "Its time", True),
    Column("card", "STRING", "The card"), Column("size", "DOUBLE", "Its size"),
    Column("is_fraud", "INT", "The label", delayed=True)), time="at")
COLUMNS = ("size", "is_fraud")
KNOWN_AFTER = {"is_fraud": DELAY * SECOND}
Event = tuple[str, int, str | None, float | None, int | None]
Asked = tuple[int, str | None, int | None]


def cases(seed: int) -> tuple[list[Event], list[Asked]]:
    """Each card is a case of its own, with times that are often the same, or exactly the delay."""
    choose = random.Random(seed)
    events, asked = [], []
    for card in (*(f"card {number}" for number in range(80)), None):
        span = choose.choice([2, 6, 20])
        for _ in range(choose.randrange(7)):
            events.append((str(choose.randrange(10**3)) + f"-{len(events)}", choose.randrange(span),
                           card, choose.choice([None, 1.5, choose.random()]),
                           choose.choice([None, 0, 1])))
        for _ in range(choose.randrange(6)):
            asked.append((choose.randrange(5), card, choose.choice(
                [None, *range(-1, span + DELAY + 1)])))
    return events, asked


def plain(events: list[Event], one: Asked) -> tuple[float | None, int | None]:
    """By the definition: the newest event whose time, with the delay, is not later."""
    def newest(delay: int) -> Event | None:
        known = [event for event in events if event[2] is not None and event[2] == one[1]
                 and one[2] is not None and event[1] + delay <= one[2]]
        return max(known, key=lambda event: (event[1], len(event[0]), event[0]), default=None)

    now, then = newest(0), newest(DELAY)
    return (now[3] if now else None), (then[4] if then else None)


def when(second: int | None) -> datetime | None:
    return None if second is None else START + second * SECOND


def frames(spark: Any, events: list[Event], asked: list[Asked]) -> tuple[Any, Any]:
    return (spark.createDataFrame([(number, card, when(at)) for number, card, at in asked],
                                  "number INT, card STRING, asked_at TIMESTAMP"),
            spark.createDataFrame([(key, when(at), *rest) for key, at, *rest in events],
                                  "id STRING, at TIMESTAMP, card STRING, size DOUBLE, "
                                  "is_fraud INT"))


def test_a_training_set_is_what_a_loop_over_all_rows_finds(spark: Any) -> None:
    events, asked = cases(seed=5)
    found = training_set(*frames(spark, events, asked), EVENTS, "card", COLUMNS, "asked_at",
                         KNOWN_AFTER)
    assert found.columns == ["number", "card", "asked_at", *COLUMNS]
    rows = [(row["number"], row["card"], row["asked_at"], row["size"], row["is_fraud"])
            for row in found.withColumn("asked_at", found.asked_at.cast("long")).collect()]
    start = int(START.timestamp())
    expected = [(number, card, None if at is None else start + at,
                 *plain(events, (number, card, at))) for number, card, at in asked]
    assert sorted(rows, key=repr) == sorted(expected, key=repr)
    assert len({row[3:] for row in rows}) > 30  # the cases are not all alike


@pytest.mark.parametrize(("changed", "said"), [
    ({"known_after": {}}, "is_fraud is known later than its row's time, expected its delay; pass "),
    ({"columns": ("size", "weight")}, "the features have no column weight; found id, at, card"),
    ({"by": "number"}, "the features have no column number"),
    ({"time": "noon"}, "the asked rows have no column noon; found number, card, asked_at"),
    ({"time": "number"}, "column number is int in the asked rows, expected timestamp; cast it"),
    ({"columns": ("card",)}, "the asked rows have card already; rename or drop it there"),
    ({"columns": ()}, "found no columns; expected the names"),
    ({"known_after": {**KNOWN_AFTER, "weight": SECOND}}, "known_after names weight; expected some"),
])
def test_arguments_that_do_not_fit_are_an_error_of_one_line(
        spark: Any, changed: dict[str, Any], said: str) -> None:
    asked, features = frames(spark, [], [])
    given = {"by": "card", "columns": COLUMNS, "time": "asked_at", "known_after": KNOWN_AFTER}
    with pytest.raises(BadInput, match=f"training set from gold.events: {said}"):
        training_set(asked, features, EVENTS, **{**given, **changed})
