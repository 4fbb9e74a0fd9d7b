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
        last = f"in the last {_days(days)}, this one included"
        published += [
            Window(f"customer_count_{days}d", CUSTOMER, "count", "amount", days,
                   meaning=f"How many transactions the customer made {last}."),
            Window(f"customer_mean_amount_{days}d", CUSTOMER, "mean", "amount", days,
                   meaning=f"The mean amount of the customer's transactions {last}.")]
    for days in (1, 7, 30):
        span = "day that ends" if days == 1 else f"{days} days that end"
        until = f"in the {span} {label_delay} days ago"
        published += [
            Window(f"terminal_count_{days}d", TERMINAL, "count", "present", days, label_delay,
                   meaning=f"How many transactions the terminal had {until}."),
            Window(f"terminal_fraud_rate_{days}d", TERMINAL, "mean", "is_fraud", days, label_delay,
                   meaning=f"The share of frauds among the terminal's transactions {until}, when "
                           "their labels are known.")]
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
        Ratio("amount_to_mean_30d", CUSTOMER, "amount", ("customer_mean_amount_30d",),
              meaning="The amount divided by the customer's mean amount of 30 days."),
        Window(usual[0], CUSTOMER, "mean", "amount", 30, delay=14),
        Window(usual[1], CUSTOMER, "mean", "amount", 30, earlier=True),
        Ratio("amount_to_usual", CUSTOMER, "amount", usual,
              meaning="The amount divided by what the customer usually pays: the mean of the 30 "
                      "days that end 14 days ago, else of the last 30 days."),
        Product("_squared_ratio", CUSTOMER, "amount_to_usual", "amount_to_usual")]
    for days in (7, 14):
        ratios += [
            Window(f"customer_max_ratio_{days}d", CUSTOMER, "max", "amount_to_usual", days,
                   earlier=True, empty=1.0,
                   meaning=f"The largest amount_to_usual of the customer's earlier transactions "
                           f"of {days} days; 1 without any."),
            Window(f"customer_mean_squared_ratio_{days}d", CUSTOMER, "mean", "_squared_ratio", days,
                   empty=1.0, meaning=f"The mean of amount_to_usual squared over the customer's "
                                      f"transactions of the last {days} days.")]
    return ratios


def _terminal_labels(delay: int) -> list[Definition]:
    """What the known labels of its last 30 days say about the terminal."""
    def window(name: str, aggregate: str, value: str, meaning: str,
               empty: float | None = None) -> Window:
        return Window(f"terminal_{name}", TERMINAL, aggregate, value, 30, delay, empty=empty,
                      meaning=f"{meaning}, as known by then.")

    since = "Days since the terminal's"
    return [window("fraud_run", "run", "is_fraud",
                   "How many of the terminal's latest labelled transactions in a row are frauds",
                   0.0),
            window("days_since_run_start", "since_run_start", "is_fraud",
                   f"{since} first fraud of its latest frauds in a row"),
            window("days_since_fraud", "since_last", "is_fraud", f"{since} last fraud"),
            window("days_since_first_fraud", "since_first", "is_fraud",
                   f"{since} first fraud of 30 days"),
            Complement("_is_genuine", TERMINAL, "is_fraud"),
            window("days_since_genuine", "since_last", "_is_genuine",
                   f"{since} last genuine transaction")]


def kept(listed: Iterable[Definition]) -> list[Definition]:
    """The definitions that become columns, in order; the others are intermediate results."""
    return [each for each in listed if not each.name.startswith("_")]


def names(kind: str) -> list[str]:
    """The columns that a model may use, in order: 15 published, 26 in full."""
    computed = kept(definitions(kind, label_delay=7))
    return ["amount", *CALENDAR, *(each.name for each in computed)]


def meanings(label_delay: int = 7) -> dict[str, str]:
    """A sentence on each column of the full set."""
    computed = {each.name: each.meaning for each in kept(definitions("full", label_delay))}
    return {"amount": "The amount of the transaction.",
            "weekend": "1 on Saturday and Sunday (UTC).",
            "night": "1 in the hours 0 to 6 (UTC).", **computed}


def _days(count: int) -> str:
    return "day" if count == 1 else f"{count} days"


def calendar(time: Ints) -> dict[str, Floats]:
    """`weekend` and `night` (the hours 0 to 6) of times in milliseconds, UTC, as 0 and 1."""
    weekday = (time // DAY + 3) % 7  # 1970-01-01 was a Thursday
    hour = time % DAY // (DAY // 24)
    return {"weekend": (weekday >= 5).astype(np.float64), "night": (hour <= 6).astype(np.float64)}
