"""The results that the step `diff` logged to its run."""

from __future__ import annotations

from typing import Any

from branchline.records import Format, parsed
from branchline.runs.answers import answered
from branchline.runs.tracking import Tracking

__all__ = ["ARTIFACT", "DIFF", "FORMAT", "difference_of"]

DIFF = "diff"  # the step that every pipeline has
ARTIFACT = f"{DIFF}/difference.json"
FORMAT = Format("difference", 1)


def difference_of(tracking: Tracking, run_id: str) -> dict[str, Any]:
    """What a run of `diff` logged: the schemas `before` and `after`, and the `tables`."""
    import mlflow
    run = tracking.run(run_id)
    with answered(f"difference of run {run_id}"):
        text = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/{ARTIFACT}")
    return FORMAT.read(parsed(text, ARTIFACT), ARTIFACT)
