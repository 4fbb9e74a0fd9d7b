"""Contributions of inputs to a score."""

from __future__ import annotations

import numpy as np
import pandas as pd

from branchline.features.kernel import Floats
from fraud_detection.scoring.reasons import contributions, reasons, usual, usual_row

USUAL = np.array([1.0, 2.0, 3.0])


def odds(rows: Floats) -> Floats:
    """Additive, but for the product of the last two inputs."""
    return rows @ np.array([0.5, -0.25, 0.125]) + rows[:, 1] * rows[:, 2]


def score(rows: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-odds(rows)))
    return found


def test_contributions_add_up_to_the_distance_from_the_usual_row() -> None:
    rows = np.random.default_rng(0).uniform(0, 2, (50, 3))
    found = contributions(score, rows, USUAL)
    assert np.allclose(found.sum(axis=1), odds(rows) - odds(USUAL[None]))


def test_an_input_that_acts_alone_has_exactly_its_own_part() -> None:
    rows = np.random.default_rng(1).uniform(0, 2, (50, 3))
    assert np.allclose(contributions(score, rows, USUAL)[:, 0], 0.5 * (rows[:, 0] - 1))


def test_a_usual_row_has_no_reasons() -> None:
    [gains] = contributions(score, USUAL[None], USUAL)
    assert reasons(["a", "b", "c"], USUAL.tolist(), gains) == []


def test_reasons_name_the_strongest_first_and_leave_out_what_speaks_against() -> None:
    found = reasons(["a", "b", "c", "d", "e"], [1, 2, 3, 4, 5], np.array([.1, -2, .3, .2, .05]))
    assert [(each["input"], each["value"]) for each in found] == [("c", 3), ("d", 4), ("a", 1)]


def test_usual_is_the_median_of_genuine_rows() -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, 99.0]})
    found = usual_row(usual(rows, pd.Series([0, 0, 0, 1])), ["a"])
    assert found is not None and found.tolist() == [2.0]
    assert usual_row({}, ["a"]) is None
