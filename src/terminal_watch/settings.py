"""The project's parameters; those for the data's location and form are fraud_detection's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from branchline import parameter
from fraud_detection.settings import MOST_DAYS, DataSettings

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings(DataSettings):
    """Days are UTC calendar days; None stands for what the help says after the semicolon."""

    recent_days: int = parameter(
        21, "days of known frauds shown as evidence; a terminal's own history is before them",
        minimum=1, maximum=MOST_DAYS)
    history_weight: float = parameter(
        200.0, "transactions of its own that a terminal's fraud rate needs to count as much as "
        "that of all terminals", minimum=1, maximum=10**9)
    compromised_rate: float = parameter(
        0.5, "share of a compromised terminal's transactions that is fraud", minimum=0.01,
        maximum=0.99)
    threshold: float = parameter(
        8.0, "score from which a terminal is listed; higher: fewer, later and surer alerts",
        minimum=0.1, maximum=1000)
    run_frauds: int = parameter(
        4, "the number of frauds within run_days that makes a terminal count as "
           "compromised", minimum=2, maximum=1000)
    run_days: int = parameter(7, "the number of days for run_frauds", minimum=1, maximum=MOST_DAYS)
    horizon_days: int = parameter(
        7, "days in which a listed terminal must have a further fraud to count as a hit",
        minimum=1, maximum=MOST_DAYS)
    first_day: date | None = parameter(None, "first day to list and measure; the first with labels")
    last_day: date | None = parameter(
        None, "last day to list and measure; the day after the last transaction")
