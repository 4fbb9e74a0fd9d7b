"""The tables that fraud-scoring writes: the stream appends for months, across deployments."""

from __future__ import annotations

from dataclasses import replace

from fraud_detection.tables import DAILY_KPIS, SCORES

__all__ = ["LIVE_KPIS", "LIVE_SCORES"]

LIVE_SCORES = replace(SCORES, versioned=False)
LIVE_KPIS = replace(DAILY_KPIS, versioned=False)
