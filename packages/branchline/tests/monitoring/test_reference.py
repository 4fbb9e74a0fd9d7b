from __future__ import annotations

import json

import numpy as np
import pytest

from branchline import BadInput
from branchline.monitoring.reference import Column, column, from_record, to_record


def test_a_bin_holds_its_upper_edge_and_shares_are_of_the_known_rows() -> None:
    found = column(np.array([0.0] * 6 + [1.0] * 2 + [np.nan] * 2))
    assert found == Column(10, pytest.approx(.2), (0.0, 1.0), (.75, .25, 0.0), .25, 0.0, 1.0)


def test_a_column_without_a_known_value_has_neither_bins_nor_a_mean() -> None:
    assert column(np.full(3, np.nan)) == Column(3, 1.0, (), (1.0,), None, None, None)


def test_a_reference_survives_as_json_and_a_newer_one_says_what_to_upgrade() -> None:
    columns = {"amount": column(np.arange(100.0)), "score": column(np.full(3, np.nan))}
    record = json.loads(json.dumps(to_record(columns), allow_nan=False))
    assert from_record(record, "drift.json") == columns
    with pytest.raises(BadInput, match="drift.json: found format drift-reference/2; .* upgrade"):
        from_record({**record, "format": "drift-reference/2"}, "drift.json")
