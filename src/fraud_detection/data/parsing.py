"""What a bronze row says: silver's values, whether they are valid, and what is wrong if not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, functions as F

from fraud_detection.data.tables import TRANSACTION_COLUMNS
from fraud_detection.settings import Columns

__all__ = ["Parsed", "parsed"]

GENUINE, FRAUD = ("0", "0.0", "false"), ("1", "1.0", "true")
EPOCH_DIVISOR = {"seconds": 1, "milliseconds": 1000}
SHOWN = 60


@dataclass(frozen=True)
class Parsed:
    """Columns over bronze rows.

    `values` are silver's, by name; `valid` is never NULL; `reason` has words for a row that is not
    valid. Spark makes one Java method of a projection, and the JVM compiles none of more than 8000
    bytes: `valid` and `values` are short, and only the rows that `valid` left ask for `reason`.
    """

    values: dict[str, Column]
    valid: Column
    reason: Column


def parsed(columns: Columns) -> Parsed:
    """What bronze rows say whose times are counted as `columns` tells."""
    text = {name: F.trim(name) for name in TRANSACTION_COLUMNS}
    missing = {name: F.coalesce(text[name], F.lit("")) == "" for name in TRANSACTION_COLUMNS}
    time = _time(text["event_time"], columns.epoch)
    amount = text["amount"].try_cast("double")
    label = F.lower(text["is_fraud"])
    usable = {name: ~missing[name] for name in TRANSACTION_COLUMNS} | {
        "event_time": _true(time <= F.col("arrived_at")),
        "amount": _true((amount >= 0) & (amount < float("inf"))),  # NaN is more than infinity
        "is_fraud": missing["is_fraud"] | _true(label.isin(*GENUINE, *FRAUD))}
    faults = {
        "event_time": F.when(time.isNull(), "is not a time").otherwise(
            "lies after the arrival of its file"),
        "amount": F.when(amount < 0, "is negative").otherwise("is not a finite number"),
        "is_fraud": F.lit("is not 0, 1 or missing")}
    absent = [F.when(~usable[name] & missing[name], f"{name} is missing")
              for name in TRANSACTION_COLUMNS]
    wrong = [F.when(~usable[name] & ~missing[name], F.concat_ws(
        " ", F.lit(name), F.substring(text[name], 1, SHOWN), fault))
        for name, fault in faults.items()]
    return Parsed(
        {**text, "event_time": time, "amount": amount,
         "is_fraud": F.when(label.isin(*FRAUD), 1).when(label.isin(*GENUINE), 0)},
        reduce(Column.__and__, usable.values(), F.col("problem").isNull()),
        F.coalesce("problem", F.concat_ws("; ", *absent, *wrong)))


def _true(condition: Column) -> Column:
    return F.coalesce(condition, F.lit(False))


def _time(text: Column, epoch: str | None) -> Column:
    """The time to the millisecond; without a zone it is UTC, whatever zone the session has."""
    if epoch is not None:
        milliseconds = (text.try_cast("decimal(25,6)")
                        * (1000 // EPOCH_DIVISOR[epoch])).try_cast("bigint")
        return F.timestamp_millis(F.when(F.abs(milliseconds) < 2**53, milliseconds))
    in_zone = (F.when(text.rlike(r"^\d{4}-\d\d-\d\d$"), F.concat(text, F.lit("T00:00:00Z")))
               .when(text.rlike(r":\d\d.*([+-]\d\d?(:?\d\d)?|[A-Za-z]+)$"), text)
               .otherwise(F.concat(text, F.lit("Z"))))
    time = in_zone.try_cast("timestamp")
    return F.timestamp_millis(F.unix_millis(time))
