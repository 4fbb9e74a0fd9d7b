"""Which lines of the inference log can be used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from branchline.errors import BadInput
from branchline.inference_log import Entry, Origin
from branchline.inference_log.checked import checked
from branchline.inference_log.line import lines
from branchline.inference_log.tables import FIELDS

ENTRY = Entry({"amount": 0.1 + 0.2}, 1 / 3, True, "flagged", ("far", "new"), record_id="7",
              event_time=1_530_000_000_123)


def line(**changed: str | None) -> dict[str, str | None]:
    """A line as the file source reads it, every value as text."""
    [text] = lines([ENTRY], Origin("stream", "fraud", "m-1"), ["a-1"], "r", 1_530_000_000_000_001,
                   None, None).splitlines()
    return {name: None if value is None else value if isinstance(value, str) else json.dumps(value)
            for name, value in json.loads(text).items()} | changed


def test_a_line_keeps_every_value_to_the_bit() -> None:
    found = checked(line())
    assert found.keys() == {field.name for field in FIELDS}
    assert found["score"] == 1 / 3 and json.loads(found["inputs"]) == {"amount": 0.1 + 0.2}
    assert found["event_time"].timestamp() == 1_530_000_000.123
    assert found["time"].microsecond == 1
    assert (found["is_alert"], found["guardrails"], found["latency_ms"]) == (True, "far,new", None)


@pytest.mark.parametrize(("changed", "said"), [
    ({"format": "inference/2"}, "reads up to inference/1: upgrade"),
    ({"format": "release/1"}, "found format release/1"), ({"format": None}, "found format none"),
    ({"time": "yesterday"}, "time: found 'yesterday', expected a time in ISO 8601"),
    ({"time": "2018-01-01T00:00:00"}, "with its zone"), ({"time": None}, "time is missing"),
    ({"score": "NaN"}, "score: found 'NaN', expected a finite number"),
    ({"score": "high"}, "finite"), ({"is_alert": "1"}, "is_alert: found '1', expected true or"),
    ({"inputs": "[1]"}, "inputs: found '[1]', expected a JSON object"), ({"inputs": "{"}, "JSON"),
    ({"source": "laptop"}, "one of service, stream, batch"), ({"line_id": ""}, "expected a text"),
    ({"outcome": "fine"}, "one of scored"), ({"event_time": "1e99"}, "milliseconds"),
    ({"event_time": "9" * 40}, "milliseconds"), ({"store_filled": "x"}, "a whole number"),
])
def test_a_bad_line_says_what_was_found_and_expected(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as problem:
        checked(line(**changed))
    assert said in str(problem.value) and "\n" not in str(problem.value)
