"""The simulated world keeps the published rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from branchline.errors import BadInput
from fraud_detection.data import world as worlds
from fraud_detection.data.world import World, simulate

SMALL = World(customers=60, terminals=120, days=10, seed=3)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return simulate(World())


@pytest.fixture(scope="module")
def rows(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame.assign(day=(frame.TX_DATETIME - pd.Timestamp(World.start)).dt.days)


def test_equal_worlds_have_equal_transactions() -> None:
    assert simulate(SMALL).equals(simulate(World(60, 120, 10, seed=3)))


def test_another_seed_makes_other_transactions() -> None:
    assert not simulate(SMALL).equals(simulate(World(60, 120, 10, seed=4)))


def test_columns_have_the_published_names_and_types(table: pa.Table) -> None:
    assert table.schema == pa.schema({
        "TRANSACTION_ID": pa.int64(), "TX_DATETIME": pa.timestamp("us"),
        "CUSTOMER_ID": pa.int64(), "TERMINAL_ID": pa.int64(), "TX_AMOUNT": pa.float64(),
        "TX_FRAUD": pa.int64(), "TX_FRAUD_SCENARIO": pa.int64()})
    assert sum(column.null_count for column in table.columns) == 0


def test_transactions_are_numbered_from_zero_in_time_order(rows: pd.DataFrame) -> None:
    assert (rows.TRANSACTION_ID == np.arange(len(rows))).all()
    assert rows.TX_DATETIME.is_monotonic_increasing


def test_the_default_world_has_about_200_000_transactions(rows: pd.DataFrame) -> None:
    assert 190_000 < len(rows) < 215_000


@pytest.mark.parametrize("seed", range(5))
def test_between_half_and_one_and_a_half_percent_are_fraud(seed: int) -> None:
    assert 0.005 < simulate(World(seed=seed))["TX_FRAUD"].to_numpy().mean() < 0.015


def test_every_day_of_the_world_and_no_other_has_transactions(rows: pd.DataFrame) -> None:
    assert sorted(rows.day.unique()) == list(range(World.days))


def test_half_of_the_transactions_are_within_four_hours_of_noon(rows: pd.DataFrame) -> None:
    hour = rows.TX_DATETIME.dt.hour
    assert hour.between(8, 15).mean() == pytest.approx(0.545, abs=0.01)
    assert rows.TX_DATETIME.eq(rows.TX_DATETIME.dt.floor("s")).all()


def test_amounts_are_positive_and_whole_cents(rows: pd.DataFrame) -> None:
    assert rows.TX_AMOUNT.min() > 0
    assert (rows.TX_AMOUNT == rows.TX_AMOUNT.round(2)).all()


def test_customers_and_terminals_are_those_of_the_world(rows: pd.DataFrame) -> None:
    assert rows.CUSTOMER_ID.between(0, World.customers - 1).all()
    assert rows.TERMINAL_ID.between(0, World.terminals - 1).all()


def test_a_customer_has_as_many_terminals_in_a_small_world_as_in_a_large_one() -> None:
    small, large = (worlds._neighbours(np.random.default_rng(1), World(500, size))[2].mean()
                    for size in (2_000, 20_000))
    assert small == pytest.approx(large, rel=0.15)


def test_a_customer_keeps_to_the_terminals_in_reach(rows: pd.DataFrame) -> None:
    assert rows.groupby("CUSTOMER_ID").TERMINAL_ID.nunique().max() < 150


def test_customers_without_a_terminal_in_reach_make_no_transactions(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "REACH", 0.5)
    reachable = worlds._neighbours(np.random.default_rng(SMALL.seed), SMALL)[2]
    assert 0 < (reachable == 0).sum() < SMALL.customers
    assert not set(simulate(SMALL)["CUSTOMER_ID"].to_pylist()) & set(np.flatnonzero(reachable == 0))


def test_a_world_in_which_nobody_reaches_a_terminal_is_empty(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "REACH", 0.0)
    assert simulate(SMALL).num_rows == 0


def test_a_transaction_is_fraud_exactly_when_it_has_a_scenario(rows: pd.DataFrame) -> None:
    assert (rows.TX_FRAUD == (rows.TX_FRAUD_SCENARIO > 0)).all()
    assert set(rows.TX_FRAUD_SCENARIO) == {0, 1, 2, 3}


def test_every_amount_above_220_is_fraud_and_scenario_1_has_no_other(rows: pd.DataFrame) -> None:
    assert rows.TX_FRAUD[rows.TX_AMOUNT > 220].all()
    assert (rows.TX_AMOUNT[rows.TX_FRAUD_SCENARIO == 1] > 220).all()


def test_all_transactions_of_a_compromised_terminal_are_fraud_for_28_days(
        rows: pd.DataFrame) -> None:
    days = rows[rows.TX_FRAUD_SCENARIO == 2].groupby("TERMINAL_ID").day.agg(["min", "max"])
    once = days[days["max"] - days["min"] < 28]  # the others were compromised twice
    assert len(once) > 0.9 * len(days) > 20
    assert (once["max"] - once["min"]).max() == 27
    at = rows.join(once, on="TERMINAL_ID", how="inner")
    within = at.day.between(at["min"], at["max"])
    assert at.TX_FRAUD[within].all()
    assert at.TX_FRAUD[~within].mean() < 0.01


def test_a_third_of_a_compromised_customers_transactions_are_fraud_for_14_days(
        rows: pd.DataFrame) -> None:
    days = rows[rows.TX_FRAUD_SCENARIO == 3].groupby("CUSTOMER_ID").day.agg(["min", "max"])
    once = days[days["max"] - days["min"] < 14]
    assert len(once) > 0.9 * len(days) > 40
    assert (once["max"] - once["min"]).max() == 13
    of = rows.join(once, on="CUSTOMER_ID", how="inner")
    between = of[(of.day > of["min"]) & (of.day < of["max"])]
    assert (between.TX_FRAUD_SCENARIO == 3).mean() == pytest.approx(1 / 3, abs=0.08)


def test_a_compromised_customers_fraud_is_five_times_the_usual_amount(rows: pd.DataFrame) -> None:
    usual = rows[rows.TX_FRAUD == 0].groupby("CUSTOMER_ID").TX_AMOUNT.mean()
    fraud = rows[rows.TX_FRAUD_SCENARIO == 3]
    ratio = fraud.TX_AMOUNT.sum() / usual[fraud.CUSTOMER_ID].sum()
    assert ratio == pytest.approx(5, rel=0.05)


def test_the_number_of_compromises_grows_with_the_world() -> None:
    small, large = (worlds._compromised(np.random.default_rng(5), 100, size, 2 / 10_000, 1).sum()
                    for size in (2_000, 20_000))
    assert 20 < small < 60 and 340 < large < 460


@pytest.mark.parametrize(("field", "value"), [
    ("customers", 0), ("terminals", 0), ("days", 0), ("days", 4_000_000), ("seed", -1)])
def test_an_impossible_world_is_refused_by_the_fields_name(field: str, value: int) -> None:
    changed: dict[str, Any] = {field: value}
    with pytest.raises(BadInput, match=f"^{field} is {value}; "):
        World(**changed)
