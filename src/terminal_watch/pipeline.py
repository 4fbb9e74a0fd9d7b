"""The pipeline: a run's parameters, and its steps in order."""

from __future__ import annotations

from branchline import Pipeline
from fraud_detection.steps import ingest, prepare, repair
from terminal_watch.settings import Settings
from terminal_watch.steps import measure, watch

__all__ = ["PIPELINE"]

PIPELINE = Pipeline(Settings, (
    ingest.step, prepare.step, watch.step, measure.step, repair.step))
