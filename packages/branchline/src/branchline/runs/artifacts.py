"""Reads what a run logged."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities import Run

__all__ = ["artifact"]


def artifact(run: Run, path: str) -> bytes | None:
    """An artifact's content; None if the run has no artifact at that path."""
    import mlflow
    from mlflow.exceptions import MlflowException
    with tempfile.TemporaryDirectory(prefix="branchline-artifact-") as scratch:
        try:
            file = mlflow.artifacts.download_artifacts(
                artifact_uri=f"{run.info.artifact_uri}/{path}", dst_path=scratch)
        except (MlflowException, OSError):
            return None
        return Path(file).read_bytes()
