"""Keeps a warm Spark for the local runs of this checkout, so that a run starts no JVM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click

from branchline.cli import options
from branchline.cli.repository import Repository
from branchline.errors import BadInput
from branchline.spark.engine_record import USED, folder_of, is_alive, locked, read, remove
from branchline.spark.engine_use import BUSY_SECONDS, misfit

__all__ = ["command"]

LOOK_SECONDS = 0.1
STOP_SECONDS = 30


@click.command("engine", context_settings=options.help_names)
@click.argument("action", type=click.Choice(["start", "stop", "status"]))
@click.option("--idle", "idle_minutes", type=click.FloatRange(0.01), default=60, show_default=True,
              help="start: end it after so many minutes without a run.")
@options.debug
def command(action: str, idle_minutes: float, debug: bool) -> None:
    """Start, stop or look at a warm Spark that this checkout's local runs use.

    It serves this checkout, Python environment and Java alone, on this machine's loopback
    interface. Each run's code, Spark's Python workers included, is loaded afresh.

    \b
    Exit codes: 0 done, 2 it cannot be started, or a run is using it.
    """
    root = Repository.current().root
    if action == "start":
        _start(root, idle_minutes)
    elif action == "stop":
        _stop(folder_of(root))
    else:
        print(_status(root))


def _start(root: Path, idle_minutes: float) -> None:
    folder = folder_of(root)
    if is_alive(folder):
        raise BadInput(f"engine: {_status(root)}; `branchline engine stop` ends it.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    remove(folder)
    log = folder / "engine.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "branchline.spark.engine", str(root), str(idle_minutes)],
            cwd=root, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True)
    try:
        while read(folder) is None:
            if process.poll() is not None:
                raise BadInput(f"engine: did not start: {_last_line(log)} ({log} has more)")
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        process.terminate()
        raise
    print(_status(root))


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _stop(folder: Path) -> None:
    engine = read(folder) if is_alive(folder) else None
    if engine is None:
        print("no engine is running")
        return remove(folder)
    with locked(folder / USED, BUSY_SECONDS) as free:
        if not free:
            raise BadInput(f"engine: a run is using process {engine.process}; stop it after the "
                           "run, or end the run first.")
        os.kill(engine.process, signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        while is_alive(folder):
            if time.monotonic() > until:
                os.kill(engine.process, signal.SIGKILL)
            time.sleep(LOOK_SECONDS)
    remove(folder)
    print(f"stopped process {engine.process}")


def _status(root: Path) -> str:
    folder = folder_of(root)
    if not is_alive(folder):
        return "no engine is running"
    engine = read(folder)
    if engine is None:
        return "an engine is starting"
    reason = misfit(engine, folder, root, os.environ)
    return f"an engine is running, but {reason}" if reason else (
        f"an engine is running: process {engine.process}, log {folder / 'spark.log'}")
