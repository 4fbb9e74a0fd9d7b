"""A simulated world of cards and terminals: its transactions, with known fraud."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from branchline import BadInput

__all__ = ["World", "simulate"]

DAY, NOON, SPREAD = 86_400, 43_200, 20_000  # seconds
REACH = 5.0  # with one terminal per unit of area
LIMIT = 220.0
TERMINAL_RATE, TERMINAL_SPAN = 2 / 10_000, 28  # newly compromised a day; days it lasts
CUSTOMER_RATE, CUSTOMER_SPAN = 3 / 5_000, 14
CUSTOMER_SHARE, CUSTOMER_FACTOR = 1 / 3, 5.0
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """What is simulated; equal worlds have equal transactions, the defaults about 200,000.

    Raises BadInput unless there is at least one customer, terminal and day, and `seed` >= 0.
    """

    customers: int = 1_100
    terminals: int = 2_200
    days: int = 95
    start: date = date(2018, 4, 1)
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("customers", 1), ("terminals", 1), ("days", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise BadInput(f"{name} is {getattr(self, name)}; give {least} or more")
        if self.days > (date.max - self.start).days:
            raise BadInput(f"days is {self.days}; from {self.start} that ends after {date.max}")


def simulate(world: World) -> pa.Table:
    """One row per transaction, in time order; columns and types as in the published data set.

    TRANSACTION_ID counts from 0; TX_DATETIME is in whole seconds, TX_AMOUNT in whole cents.
    TX_FRAUD_SCENARIO is 0 for genuine, 1 for an amount above 220, 2 for a compromised terminal,
    3 for a compromised customer; where several hold, the highest.

    Source: the simulator described in "Reproducible Machine Learning for Credit Card Fraud
    Detection - Practical Handbook", chapter 3. The number of compromises is proportional to the
    size of the world; the number of terminals around a customer does not depend on it.
    """
    rng = np.random.default_rng(world.seed)
    terminals, first, reachable = _neighbours(rng, world)
    mean = rng.uniform(5, 100, world.customers)
    rate = np.where(reachable > 0, rng.uniform(0, 4, world.customers), 0)
    customer, second = _visits(rng, rate, world.days)
    terminal = terminals[first[customer] + rng.integers(reachable[customer])]
    amount = _amounts(rng, mean[customer])
    amount, scenario = _defraud(rng, world, customer, terminal, second // DAY, amount)
    return pa.table({
        "TRANSACTION_ID": np.arange(second.size),
        "TX_DATETIME": np.datetime64(world.start, "us") + second.astype("timedelta64[s]"),
        "CUSTOMER_ID": customer,
        "TERMINAL_ID": terminal,
        "TX_AMOUNT": amount,
        "TX_FRAUD": (scenario > 0).astype(np.int64),
        "TX_FRAUD_SCENARIO": scenario,
    })


def _neighbours(rng: np.random.Generator, world: World) -> tuple[Ints, Ints, Ints]:
    """All customers' terminals in one array; each customer's start in it and number."""
    side = world.terminals ** 0.5
    x, y = rng.uniform(0, side, (2, world.terminals))
    near = [np.flatnonzero((x - a) ** 2 + (y - b) ** 2 < REACH ** 2)
            for a, b in rng.uniform(0, side, (world.customers, 2))]
    count = np.array([found.size for found in near])
    return np.concatenate(near), np.cumsum(count) - count, count


def _visits(rng: np.random.Generator, rate: Floats, days: int) -> tuple[Ints, Ints]:
    """Customer and second since the start of every transaction, in time order."""
    counts = rng.poisson(rate[:, None], (rate.size, days))
    customer, day = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    clock = np.floor(rng.normal(NOON, SPREAD, day.size)).astype(np.int64)
    inside = (clock >= 0) & (clock < DAY)
    customer, second = customer[inside], (day * DAY + clock)[inside]
    order = np.argsort(second, kind="stable")
    return customer[order], second[order]


def _amounts(rng: np.random.Generator, mean: Floats) -> Floats:
    """One amount for each mean, at least one cent."""
    amount = rng.normal(mean, mean / 2)
    amount = np.where(amount < 0, rng.uniform(0, 2 * mean), amount)
    return np.maximum(amount.round(2), 0.01)


def _defraud(rng: np.random.Generator, world: World, customer: Ints, terminal: Ints, day: Ints,
             amount: Floats) -> tuple[Floats, Ints]:
    """The amounts after fraud and each transaction's scenario."""
    scenario = (amount > LIMIT).astype(np.int64)
    held = _compromised(rng, world.days, world.terminals, TERMINAL_RATE, TERMINAL_SPAN)
    scenario[held[day, terminal]] = 2
    held = _compromised(rng, world.days, world.customers, CUSTOMER_RATE, CUSTOMER_SPAN)
    misused = held[day, customer] & (rng.random(day.size) < CUSTOMER_SHARE)
    scenario[misused] = 3
    return np.where(misused, (amount * CUSTOMER_FACTOR).round(2), amount), scenario


def _compromised(rng: np.random.Generator, days: int, size: int, rate: float,
                 span: int) -> NDArray[np.bool_]:
    """Whether each of `size` customers or terminals is compromised, shape (days, size)."""
    held = np.zeros((days, size), dtype=np.bool_)
    for day, count in enumerate(rng.poisson(size * rate, days)):
        held[day:day + span, rng.integers(size, size=count)] = True
    return held
