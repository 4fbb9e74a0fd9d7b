"""What each step of a run costs, and the Spark session among them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from branchline.lakehouse import Lakehouse
from fraud_detection.settings import Settings

PROJECT = Path(__file__).resolve().parents[1] / "mlflow-notebooks" / "fraud-training"
LINE = re.compile(r"^  (\w+) .*?([\d.]+) s ", re.MULTILINE)


def run(lakehouse: Lakehouse, settings: Settings) -> None:
    """The project in a process of its own on the same data, from nothing, and once more."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = (_seconds(settings, folder) for _ in range(2))
    table = Table("step", "seconds", "share", "again", box=None)
    whole = sum(first.values())
    for name, seconds in first.items():
        table.add_row(name, f"{seconds:.1f}", f"{seconds / whole:.0%}", f"{second[name]:.1f}")
    table.add_row("together", f"{whole:.1f}", "", f"{sum(second.values()):.1f}")
    Console(width=120, highlight=False).print(table)


def _seconds(settings: Settings, folder: str) -> dict[str, float]:
    began = time.perf_counter()
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    done = subprocess.run(
        [sys.executable, "main.py", "--data", settings.data, "--columns", "columns.yml",
         "--lakehouse", folder], cwd=PROJECT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the project failed: {done.stderr.strip()}")
    steps = {name: float(seconds) for name, seconds in LINE.findall(done.stdout)}
    return {**steps, "rest (Python, MLflow)": time.perf_counter() - began - sum(steps.values())}
