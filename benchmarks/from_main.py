"""A branch that changed the last step: the whole project, and `--from-main`, in processes."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.cost import Cost, measured
from fraud_detection.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
LAST = {"fraud-training": "fraud_detection/steps/monitor.py",
        "terminal-watch": "terminal_watch/steps/measure.py"}
ADOPT_ORPHANS = 36  # prctl's PR_SET_CHILD_SUBREAPER
SKIPPED = re.compile(r"^  (\w+) +skipped: ", re.MULTILINE)


def run(settings: Settings) -> None:
    """Print the cost of both for each project, each from nothing, and which steps were skipped."""
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1)
    table = Table("project", "run", "clock s", "CPU s", "CPU ratio", "skipped", box=None)
    for project, last in LAST.items():
        with tempfile.TemporaryDirectory() as folder:
            whole, branch, skipped = compared(project, last, settings, Path(folder))
        for name, cost, steps in (("whole", whole, ""), ("--from-main", branch, skipped)):
            table.add_row(project, name, f"{cost.clock:.1f}", f"{cost.cpu:.1f}",
                          f"{cost.cpu / whole.cpu:.2f}", steps)
    Console(width=120, highlight=False).print(table)


def compared(project: str, last: str, settings: Settings, folder: Path) -> tuple[Cost, Cost, str]:
    """Main's whole run, the branch's run from main's tables, and the steps it skipped."""
    said: list[str] = []
    sources = folder / "src"
    shutil.copytree(ROOT / "src", sources)
    whole = measured(lambda: said.append(_run(project, settings, folder, "main")))
    with (sources / last).open("a") as file:
        file.write("# changed\n")
    branch = measured(lambda: said.append(_run(project, settings, folder, "branch", "--base",
                                               "main")))
    return whole, branch, ", ".join(SKIPPED.findall(said[1]))


def _run(project: str, settings: Settings, folder: Path, schema: str, *arguments: str) -> str:
    """The project's output. A JVM outlives its project: it is awaited here, for its CPU time."""
    before = psutil.Process().children()
    done = subprocess.run(
        [sys.executable, "main.py", "--data", settings.data, "--columns", "columns.yml",
         "--lakehouse", str(folder / "tables"), "--schema", schema, *arguments],
        cwd=ROOT / "mlflow-notebooks" / project, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(folder / "src"),
             "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"})
    for orphan in psutil.Process().children():
        if orphan not in before:
            os.waitpid(orphan.pid, 0)
    if done.returncode:
        sys.exit(f"the project failed: {done.stderr.strip()}")
    print(done.stdout, flush=True)
    return done.stdout
