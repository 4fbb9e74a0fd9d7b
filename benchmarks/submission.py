"""From the command to a submitted run: seconds and calls, on the workspace server of the tests."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from workspace_server import Workspace
from workspace_server.__main__ import make_volumes

ROOT = Path(__file__).resolve().parents[1]
TRIGGER = [sys.executable, "mlflow-triggers/run.py"]
SUBMIT = [*TRIGGER, "fraud-training", "-e", "ingest", "--on", "emulated", "--no-wait"]
BUILD = ["uv", "build", "--quiet", "--wheel", "--no-sources", "--out-dir"]
REPETITIONS = 7
SUBMITTED = "/api/2.2/jobs/runs/submit"


def run() -> None:
    """Medians of some repetitions; wheel and project are there from an earlier one."""
    table = Table("command", "seconds", "of the server", "own", "CPU", "calls", box=None)
    with tempfile.TemporaryDirectory() as folder, Workspace.start(Path(folder)) as workspace:
        make_volumes(workspace.client())
        workspace.fault("never_starts", times=REPETITIONS + 1)
        variables = {**os.environ, **workspace.environment()}
        _seconds(SUBMIT, variables)
        measured = [_submission(workspace, variables) for _ in range(REPETITIONS)]
    whole, server, cpu, calls = (median(column) for column in zip(*measured, strict=True))
    table.add_row("run.py --on emulated, until it is submitted", f"{whole:.2f}", f"{server:.2f}",
                  f"{whole - server:.2f}", f"{cpu:.2f}", f"{calls:.0f}")
    with tempfile.TemporaryDirectory() as out:
        for name, command in (("run.py --help", [*TRIGGER, "--help"]),
                              ("uv build --wheel, which a bundle begins with", [*BUILD, out]),
                              ("python -c pass", [sys.executable, "-c", "pass"])):
            pairs = [_seconds(command, dict(os.environ)) for _ in range(REPETITIONS)]
            seconds, cpu = (median(column) for column in zip(*pairs, strict=True))
            table.add_row(name, f"{seconds:.2f}", "", f"{seconds:.2f}", f"{cpu:.2f}", "")
    Console(width=120, highlight=False).print(table)


def _submission(workspace: Workspace, variables: dict[str, str]) -> tuple[float, ...]:
    """Seconds until the submission was answered, the server's own, CPU of all of it, calls."""
    before, began = len(workspace.calls()), time.time()
    _, cpu = _seconds(SUBMIT, variables)
    calls = workspace.calls()[before:]
    needed = calls[:[call["path"] for call in calls].index(SUBMITTED) + 1]
    return (needed[-1]["answered"] - began, sum(call["seconds"] for call in needed), cpu,
            len(needed))


def _seconds(command: list[str], variables: dict[str, str]) -> tuple[float, float]:
    """The command's seconds on the clock, and CPU seconds including its children."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command[1:])} failed: {done.stderr.strip()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (time.perf_counter() - began,
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
