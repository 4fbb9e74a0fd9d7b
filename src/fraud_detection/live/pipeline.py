"""The pipeline of fraud-scoring: its parameters, and its steps."""

from __future__ import annotations

from branchline import Pipeline
from fraud_detection.live import batch, stream
from fraud_detection.live.settings import ScoringSettings

__all__ = ["PIPELINE"]

PIPELINE = Pipeline(ScoringSettings, (batch.step, stream.step))
