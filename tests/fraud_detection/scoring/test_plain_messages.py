"""The fast path for messages makes of each what batch's parser makes of it, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from fraud_detection.data.landed_columns import Columns
from fraud_detection.scoring.messages import _parsed, _rows
from fraud_detection.scoring.plain_messages import plain_events

NOW = 2**41
GOOD = {"transaction_id": "1", "event_time": "2024-01-01T00:00:01.250Z", "customer_id": "c",
        "terminal_id": 17, "amount": 1.5, "is_fraud": 1}
RENAMED = Columns(names=(("transaction_id", "id"), ("event_time", "event_time"),
                         ("customer_id", "customer_id"), ("terminal_id", "terminal_id"),
                         ("amount", "paid"), ("is_fraud", "is_fraud")))

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.sampled_from([0, -0.0, 1e9, 1e9 + 1, 1e-320, 10**30, " a ", "\t", "é", "2024-01-01", "1",
                     "2024-02-30T00:00:00Z", "1899-01-01T00:00:00Z", "2300-01-01T00:00:00Z",
                     "2024-01-01T00:00:01+02:00", [], {}, ["a"], {"a": "b"}]))


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A good transaction with some fields replaced, removed, written twice or renamed."""
    pairs = list(GOOD.items())
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(pairs) - 1))
        pairs[at] = pairs[at][0], draw(VALUES)
    if draw(st.booleans()):
        pairs.insert(draw(st.integers(0, len(pairs))),
                     (draw(st.sampled_from([*GOOD, "id", "paid", "more"])), draw(VALUES)))
    pairs = [pair for pair in pairs if draw(st.integers(0, 9))]
    text = ", ".join(f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=draw(st.booleans()))}"
                     for name, value in pairs)
    text = text.replace('"amount"', draw(st.sampled_from(['"amount"', '"\\u0061mount"'])))
    return f"{{{text}}}".encode("utf-8", "surrogatepass")


@settings(max_examples=400)
@given(st.lists(messages(), min_size=1, max_size=5), st.sampled_from([Columns(), RENAMED]))
def test_a_plain_message_is_what_the_full_parser_makes_of_it(
        values: list[bytes], columns: Columns) -> None:
    rows = _rows(values, [NOW] * len(values), columns)
    expected = _parsed(rows, columns)
    for found, event in zip(plain_events(values, [NOW] * len(values), columns, True), expected,
                            strict=True):
        assert found is None or found == event


def test_ordinary_messages_take_the_fast_path() -> None:
    value = json.dumps(GOOD).encode()
    for columns, has_amount in ((Columns(), True), (Columns(), False)):
        [found] = plain_events([value], [NOW], columns, has_amount)
        assert found and (found.id, found.time) == ("1", 1_704_067_201_250)
        assert found.entities == {"customer_id": "c", "terminal_id": "17"}
    renamed = json.dumps({**GOOD, "id": "1", "paid": 1.5}).encode()
    assert plain_events([renamed], [NOW], RENAMED, True) == [None]
    del (row := json.loads(renamed))["transaction_id"], row["amount"]
    assert plain_events([json.dumps(row).encode()], [NOW], RENAMED, True) != [None]


@pytest.mark.parametrize("value", [
    None, b"", b"1", b"[1]", b'{"a":1},{"b":2}', json.dumps(GOOD).encode("utf-16"),
    json.dumps(GOOD).replace('"amount": 1.5', '"amount": 1.5, "amount": 2.5').encode(),
    json.dumps(GOOD).replace('"amount": 1.5', '"amount": NaN').encode(),
    json.dumps({**GOOD, "event_time": "2100-01-01T00:00:00Z"}).encode()])
def test_what_is_not_plainly_right_is_left_to_the_full_parser(value: bytes | None) -> None:
    assert plain_events([value], [NOW], Columns(), True) == [None]
