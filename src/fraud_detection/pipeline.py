"""The pipeline: a run's parameters, and its steps in order."""

from __future__ import annotations

from branchline import Pipeline
from fraud_detection.settings import Settings
from fraud_detection.steps import (backfill, compare, evaluate, explore, featurize, ingest, monitor,
                                   parity, predict, prepare, reject, repair, ship, train)

__all__ = ["PIPELINE"]

PIPELINE = Pipeline(Settings, (
    ingest.step, prepare.step, explore.step, featurize.step, train.step, evaluate.step,
    predict.step, monitor.step, compare.step, repair.step, reject.step,
    backfill.step, ship.step, parity.step))
