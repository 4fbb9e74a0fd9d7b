"""Scripts in processes of their own that begin with what triggers import, seconds sooner."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

__all__ = ["context", "run_script"]

# What commands import when they are called, and the processes that tests kill.
PRELOADED = [
    "support.forked", "tests.taking", "pyspark.sql.connect.session", "mlflow", "mlflow.projects",
    "mlflow.tracking", "mlflow.store.tracking.sqlalchemy_store", "databricks.sdk",
    "branchline.platforms.local.platform", "branchline.platforms.databricks.platform",
    *(f"branchline.cli.{name}" for name in ("run", "gate", "publish", "deploy", "show", "diff",
                                            "clean", "doctor", "exit"))]


def context() -> ForkServerContext:
    """Where processes come from: a server that has imported all of this, and does nothing else."""
    found = get_context("forkserver")
    found.set_forkserver_preload(PRELOADED)
    with pytest.MonkeyPatch.context() as patch:  # Python 3.11 hands the server no module path
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        forkserver.ensure_running()
    return found


def run_script(script: str, arguments: Sequence[str], folder: Path,
               variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a Python script in `folder` with exactly these variables; the finished process."""
    with tempfile.TemporaryDirectory() as scratch:
        said = [Path(scratch, name) for name in ("out", "err")]
        process = context().Process(target=_run, args=(
            script, list(arguments), str(folder), dict(variables), [str(file) for file in said]))
        process.start()
        process.join()
        texts = [file.read_text(encoding="utf-8") for file in said]
    assert process.exitcode is not None
    return subprocess.CompletedProcess([script, *arguments], process.exitcode, *texts)


def _run(script: str, arguments: list[str], folder: str, variables: dict[str, str],
         said: list[str]) -> None:
    for descriptor, file in enumerate(said, start=1):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = [script, *arguments]
    sys.path.insert(0, str(Path(script).resolve().parent))
    runpy.run_path(script, run_name="__main__")
