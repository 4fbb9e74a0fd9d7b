"""The parameters of fraud-monitoring, each declared once, here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from branchline import parameter
from fraud_detection.settings import DataSettings

__all__ = ["MonitoringSettings"]


@dataclass(frozen=True)
class MonitoringSettings(DataSettings):
    """Windows begin at whole multiples of their length since 1970 (UTC)."""

    window_hours: int = parameter(24, "the length of a window", minimum=1, maximum=24 * 28)
    first_day: date | None = parameter(
        None, "first day to measure again; the first whose windows or labels are new")
    slices: tuple[str, ...] = parameter(
        ("source",), "columns of gold.inference_log whose values are measured by themselves, too",
        text="source")
    by_the_clock: tuple[str, ...] = parameter(
        ("weekend",), "inputs that follow the calendar, so that a window differs from training",
        text="weekend")
    alarm_rate: float = parameter(
        0.01, "the probability that a window without change shows any", minimum=1e-9, maximum=0.5)
    least_psi: float = parameter(
        0.1, "a smaller population stability index is no change", minimum=0, maximum=100)
