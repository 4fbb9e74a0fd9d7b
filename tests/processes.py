"""The project's process, as mlflow.projects starts it, and how tests look at processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import PROJECT


class Project:
    """Starts the project on the tables in a folder, in an experiment that has its name."""

    def __init__(self, arguments: list[str], lakehouse: Path, store: str, **variables: str) -> None:
        import mlflow
        mlflow.set_tracking_uri(store)
        mlflow.create_experiment(str(lakehouse), (lakehouse / "artifacts").as_uri())
        self.environment = {**os.environ, "MLFLOW_TRACKING_URI": store,
                            "MLFLOW_EXPERIMENT_NAME": str(lakehouse), **variables}
        self.command = [sys.executable, "main.py", *arguments, "--lakehouse", str(lakehouse)]

    def start(self, *steps: str) -> subprocess.Popen[str]:
        chosen = ["--steps", ",".join(steps)] if steps else []
        return subprocess.Popen(
            [*self.command, *chosen], cwd=PROJECT, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def run(self, *steps: str) -> str:
        process = self.start(*steps)
        said, _ = process.communicate()
        assert process.returncode == 0, said
        return said


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL the process and all that it started, such as its JVM."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("did not happen within a minute")


def processes_of_session(session: int) -> list[str]:
    listed = subprocess.run(["ps", "-o", "pid=,stat=,args=", "-s", str(session)],
                            capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if line.split()[1][0] != "Z"]
