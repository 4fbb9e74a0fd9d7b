"""The processes that tests start: a project's, a trigger's, several at once."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from support.clone import ROOT
from support.forked import run_script

PROJECT = ROOT / "mlflow-notebooks" / "fraud-training"


def free_port() -> int:
    """A port for a server that starts later: below those that systems hand out by themselves,
    where a connection of Spark's may take it in the meantime."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


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


def trigger(name: str, *arguments: str, folder: Path = ROOT,
            **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a trigger of the checkout in `folder` as a user does; the finished process."""
    script, shell = f"mlflow-triggers/{name}.py", {**os.environ, **variables}
    if "PYTHONPATH" not in variables:  # then it imports what this process does
        return run_script(script, arguments, folder, shell)
    return subprocess.run([sys.executable, script, *arguments], cwd=folder, env=shell,
                          capture_output=True, text=True)


def at_once(script: str, *arguments: tuple[str, ...],
            variables: Mapping[str, str]) -> list[tuple[str, int]]:
    """What a script says, and its exit code, in a process for each of `arguments`.

    The script prints "ready" and waits for a line: they are let go together.
    """
    processes = [subprocess.Popen(
        [sys.executable, "-c", script, *each], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env={**os.environ, **variables}) for each in arguments]
    try:
        for process in processes:
            assert process.stdout and process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.communicate(timeout=60)[0] for process in processes]
        return [(text, process.returncode)
                for text, process in zip(said, processes, strict=True)]
    finally:
        for process in processes:
            process.kill()
            process.wait()


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
