from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from branchline.errors import BadInput
from branchline.gate.comparison import Comparison, Data, Measured, Model, Slice

AT = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
FULL = Comparison(
    Model("models:/m-1", "m-1"), Model("models:/fraud/3", problem="gone"),
    (Measured("ap", 0.5, 0.4, 0.01),), (Slice("amount", "0 to 25", 9, 2, Measured("ap", 0.1)),),
    Data(100, 3, AT, None), {"seed": 0, "tables": {"silver.transactions": 4}})


@pytest.mark.parametrize("comparison", [
    FULL, Comparison(Model("runs:/a"), None, (Measured("letters", 5.0),))])
def test_a_comparison_survives_writing_and_reading(comparison: Comparison) -> None:
    assert Comparison.from_json(comparison.to_json()) == comparison


def test_values_that_are_not_finite_are_null() -> None:
    odd = Comparison(Model("a"), None, (Measured("ap", float("nan"), float("inf")),))
    text = odd.to_json()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert Comparison.from_json(text).measures == (Measured("ap", None, None),)


@pytest.mark.parametrize("text", ["", "[]", "{}", FULL.to_json().replace('"rows"', '"row"')])
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="gate/comparison.json: is not a comparison"):
        Comparison.from_json(text)
