"""The features: their definitions as data, for the kernel to compute."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from branchline.features.kernel import (DAY, Complement, Definition, Floats, Ints, Product, Ratio,
                                        Window)

__all__ = ["CALENDAR", "calendar", "definitions", "kept", "meanings", "names"]

CALENDAR = ("weekend", "night")
CUSTOMER, TERMINAL = "customer_id", "terminal_id"


def definitions(kind: str, label_delay: int) -> tuple[Definition, ...]:
    """The 12 published window features ("published"), or these and 11 further ones ("full").

    They are in the order in which they are computed; a name that starts with _ is an intermediate
    result. `label_delay` is in days. Source of the published ones: "Reproducible Machine Learning
    for Credit Card Fraud Detection", chapter 3.
    """
    published: list[Definition] = []
    for days in (1, 7, 30):
        published += [Window(f"customer_count_{days}d", CUSTOMER, "count", "amount", days),
                      Window(f"customer_mean_amount_{days}d", CUSTOMER, "mean", "amount", days)]
    for days in (1, 7, 30):
        published += [
            Window(f"terminal_count_{days}d", TERMINAL, "count", "present", days, label_delay),
            Window(f"terminal_fraud_rate_{days}d", TERMINAL, "mean", "is_fraud", days, label_delay)]
    if kind == "published":
        return tuple(published)
    return (*published, *_amount_ratios(), *_terminal_labels(label_delay))


def _amount_ratios() -> list[Definition]:
    """Compare the amount, and those of the last days, with what the customer usually pays.

    "Usually" is the mean of 30 days that end a fortnight ago: so a few days of misuse do not change
    it.
    """
    usual = ("_mean_amount_until_14d_ago", "_mean_amount_until_now")
    ratios: list[Definition] = [
        Ratio("amount_to_mean_30d", CUSTOMER, "amount", ("customer_mean_amount_30d",)),
        Window(usual[0], CUSTOMER, "mean", "amount", 30, delay=14),
        Window(usual[1], CUSTOMER, "mean", "amount", 30, earlier=True),
        Ratio("amount_to_usual", CUSTOMER, "amount", usual),
        Product("_squared_ratio", CUSTOMER, "amount_to_usual", "amount_to_usual")]
    for days in (7, 14):
        ratios += [Window(f"customer_max_ratio_{days}d", CUSTOMER, "max", "amount_to_usual", days,
                          earlier=True, empty=1.0),
                   Window(f"customer_mean_squared_ratio_{days}d", CUSTOMER, "mean",
                          "_squared_ratio", days, empty=1.0)]
    return ratios


def _terminal_labels(delay: int) -> list[Definition]:
    """What the known labels of its last 30 days say about the terminal."""
    def window(name: str, aggregate: str, value: str, empty: float | None = None) -> Window:
        return Window(f"terminal_{name}", TERMINAL, aggregate, value, 30, delay, empty=empty)

    return [window("fraud_run", "run", "is_fraud", 0.0),
            window("days_since_run_start", "since_run_start", "is_fraud"),
            window("days_since_fraud", "since_last", "is_fraud"),
            window("days_since_first_fraud", "since_first", "is_fraud"),
            Complement("_is_genuine", TERMINAL, "is_fraud"),
            window("days_since_genuine", "since_last", "_is_genuine")]


def kept(listed: Iterable[Definition]) -> list[Definition]:
    """The definitions that become columns, in order; the others are intermediate results."""
    return [each for each in listed if not each.name.startswith("_")]


def names(kind: str) -> list[str]:
    """The columns that a model may use, in order: 15 published, 26 in full."""
    computed = kept(definitions(kind, label_delay=7))
    return ["amount", *CALENDAR, *(each.name for each in computed)]


def meanings() -> dict[str, str]:
    """A short description of each column of the full set."""
    rows = {"amount": "The amount", "weekend": "1 on Saturday and Sunday (UTC)",
            "night": "1 in the hours 0 to 6 (UTC)"}
    return rows | {each.name: _meaning(each) for each in kept(definitions("full", label_delay=7))}


def _meaning(each: Definition) -> str:
    if isinstance(each, Ratio):
        return f"{each.over} / {each.under[0].lstrip('_')}"
    if isinstance(each, Product):
        return f"{each.left} * {each.right}"
    if isinstance(each, Complement):
        return f"1 - {each.of}"
    until = f" that end {each.delay} days ago" if each.delay else ""
    return (f"{each.aggregate} of {each.value.lstrip('_')} over {each.days} days{until}, "
            f"by {each.entity}")


def calendar(time: Ints) -> dict[str, Floats]:
    """`weekend` and `night` (the hours 0 to 6) of times in milliseconds, UTC, as 0 and 1."""
    weekday = (time // DAY + 3) % 7  # 1970-01-01 was a Thursday
    hour = time % DAY // (DAY // 24)
    return {"weekend": (weekday >= 5).astype(np.float64), "night": (hour <= 6).astype(np.float64)}
