from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from branchline.errors import BadInput
from branchline.gate.comparison import FEWEST_UNITS, Measured
from branchline.gate.outcomes import Kpi, Outcomes
from branchline.gate.paired import paired

KPIS = {"share": Kpi("sold", "asked"), "sold": Kpi("sold"), "a_day": Kpi("sold", "days")}
SHOPS, DAYS = 200, 10


def outcomes(shop: list[int], day: list[int], sold: list[float], asked: list[float]) -> Outcomes:
    rows = pa.table({"shop": [f"shop {each}" for each in shop], "day": day,
                     "sold": pa.array(sold, pa.float64()), "asked": pa.array(asked, pa.float64())})
    return Outcomes(rows, ("shop", "day"), KPIS, {"silver.sales": "main@3"}, {"days": 2.0})


def everywhere(seed: int) -> Outcomes:
    """Each shop on each day, asked 1 and sold a number around 0.5."""
    shop, day = np.divmod(np.arange(SHOPS * DAYS), DAYS)
    sold = np.random.default_rng(seed).normal(0.5, 1, len(shop))
    return outcomes(shop.tolist(), day.tolist(), sold.tolist(), [1.0] * len(shop))


def values(found: tuple[Measured, ...]) -> dict[str, tuple[float | None, float | None]]:
    return {each.name: (each.candidate, each.champion) for each in found}


def test_the_kpis_of_both_are_ratios_of_their_own_sums() -> None:
    candidate = outcomes([1, 1, 2], [1, 2, 1], [2, 1, 0], [4, 1, 1])
    champion = outcomes([3, 1], [1, 1], [1, 1], [2, 2])
    assert values(paired(candidate, champion, 100, 0)) == {
        "share": (0.5, 0.5), "sold": (3, 2), "a_day": (1.5, 1)}


def test_without_a_champion_there_are_values_alone() -> None:
    found = paired(outcomes([1, 2], [1, 1], [0, 0], [0, 0]), None, 100, 0)
    assert found == (Measured("share", None), Measured("sold", 0), Measured("a_day", 0))


def test_equal_outcomes_differ_by_nothing_in_any_order_of_their_rows() -> None:
    one = everywhere(0)
    for each in paired(one, replace(one, rows=one.rows[::-1]), 100, 0):
        assert each.candidate == pytest.approx(each.champion)
        assert each.standard_error == pytest.approx(0, abs=1e-9)


def test_the_error_of_a_difference_of_means_matches_theory() -> None:
    share, *_ = paired(everywhere(0), everywhere(1), 1000, 0)
    assert share.standard_error == pytest.approx(np.sqrt(2 / (SHOPS * DAYS)), rel=0.2)
    assert share.units is not None and 40 < share.units < SHOPS


def test_a_kpi_of_few_units_says_how_few() -> None:
    few = FEWEST_UNITS - 1
    one = outcomes([*range(few), 90], [*range(few), 0], [1.0] * few + [0], [1.0] * few + [0])
    two = outcomes([*range(few), 90], [*range(few), 0], [0.0] * few + [0], [1.0] * few + [0])
    share, *_ = paired(one, two, 100, 0)
    assert share.units == few


@pytest.mark.parametrize("other", [{"inputs": {"silver.sales": "main@4"}}, {"kpis": {}},
                                   {"units": ("day", "shop")}])
def test_outcomes_of_another_input_or_measured_in_another_way_are_refused(
        other: dict[str, object]) -> None:
    one = everywhere(0)
    with pytest.raises(BadInput, match=f"outcomes: {next(iter(other))} of the candidate are"):
        paired(one, replace(one, **other), 100, 0)


def test_outcomes_of_one_unit_are_refused() -> None:
    one = outcomes([1, 1], [1, 2], [1, 1], [1, 1])
    with pytest.raises(BadInput, match="all rows are of one shop; expected at least two"):
        paired(one, one, 100, 0)
