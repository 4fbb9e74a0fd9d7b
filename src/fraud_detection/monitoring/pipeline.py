"""The pipeline of fraud-monitoring: its parameters, and its steps."""

from __future__ import annotations

from branchline import Pipeline
from fraud_detection.monitoring import watch
from fraud_detection.monitoring.settings import MonitoringSettings

__all__ = ["PIPELINE"]

PIPELINE = Pipeline(MonitoringSettings, (watch.step,))
