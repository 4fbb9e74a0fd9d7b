"""Greets, and ends as it was told to."""

import subprocess
import sys
from pathlib import Path

import mlflow

import branchline

who, then = sys.argv[1:]
with mlflow.start_run():
    mlflow.log_metric("letters", len(who))
    mlflow.log_param("branchline_in", str(Path(branchline.__file__).parent))
    mlflow.log_param("python", sys.executable)
    if then == "sleep":
        mlflow.set_tag("sleeping", "yes")
        subprocess.run(["sleep", "600"])
    if then == "fail":
        mlflow.set_tag("error", "told to fail")
        sys.exit(1)
