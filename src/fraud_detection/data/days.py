"""The UTC days that a run trains on, tests on and works on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from pyspark.sql import DataFrame, functions as F

from branchline import BadInput
from branchline.features.kernel import DAY
from fraud_detection.settings import Settings

__all__ = ["RunDays", "Span", "between", "covered", "day_of", "milliseconds", "run_days"]


@dataclass(frozen=True)
class Span:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def count(self) -> int:
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


@dataclass(frozen=True)
class RunDays:
    """A run's spans: training days, test days, and the days that steps build, score and compare."""

    train: Span
    test: Span
    built: Span
    scored: Span


def milliseconds(day: date) -> int:
    """The day's start in milliseconds since 1970-01-01 UTC."""
    return (day - date(1970, 1, 1)).days * DAY


def between(first: date, last: date) -> str:
    """The SQL condition that `event_time` lies on these days, whatever the session's time zone."""
    return (f"event_time >= timestamp_millis({milliseconds(first)}L) AND "
            f"event_time < timestamp_millis({milliseconds(last) + DAY}L)")


def day_of(milliseconds_column: str = "unix_millis(event_time)") -> str:
    """The SQL expression for the UTC day of `event_time`."""
    return f"date_from_unix_date(CAST(floor({milliseconds_column} / {DAY}) AS INT))"


def run_days(transactions: DataFrame, settings: Settings) -> RunDays:
    """The run's days; without `test_start` the test days are the last whole days of the data.

    Training days are as many as there are, up to `train_days`.

    Raises:
        BadInput: the data do not cover the requested days.
    """
    found = covered(transactions)
    delay, length = timedelta(days=settings.label_delay_days), timedelta(days=settings.test_days)
    day = timedelta(days=1)
    start = settings.test_start or found.last - length + day
    test = Span(start, start + length - day)
    last = start - delay - day
    if last < found.first or test.last > found.last:
        raise BadInput(
            f"the data cover {found}; training on days up to {last} and testing on {test} does "
            f"not fit. Set test_days ({settings.test_days}), label_delay_days or test_start "
            "accordingly.")
    train = Span(max(last + day - timedelta(days=settings.train_days), found.first), last)
    asked = Span(settings.first_day or test.first, settings.last_day or test.last)
    built = Span(settings.first_day or train.first, settings.last_day or test.last)
    if asked.count < 1 or built.count < 1:
        raise BadInput(f"first_day {asked.first} lies after last_day {asked.last}.")
    return RunDays(train, test, built, asked)


def covered(transactions: DataFrame) -> Span:
    """From the first day that has a transaction to the last."""
    found = transactions.agg(F.min(F.unix_millis("event_time")).alias("first"),
                             F.max(F.unix_millis("event_time")).alias("last")).first()
    if found is None or found["first"] is None:
        raise BadInput("silver.transactions is empty; there is nothing to learn from. See "
                       "silver.quarantine for rows that were rejected.")
    first, last = (datetime.fromtimestamp(found[name] / 1000, timezone.utc).date()
                   for name in ("first", "last"))
    return Span(first, last)
