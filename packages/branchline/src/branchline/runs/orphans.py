"""Runs that a killed process left RUNNING: finds them and marks them KILLED."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psutil

from branchline.runs.answers import answered
from branchline.runs.tracking import Tracking

if TYPE_CHECKING:
    from mlflow.entities import Run

__all__ = ["end_orphans", "own_process"]

HOST, PID, STARTED = "process.host", "process.pid", "process.started"
TOLERANCE = 5.0  # seconds: Linux computes a process's start from a boot time that may be corrected


def own_process() -> dict[str, str]:
    """The tags by which a later run finds out whether this process is still alive."""
    return {HOST: socket.gethostname(), PID: str(os.getpid()),
            STARTED: f"{psutil.Process().create_time():.2f}"}


def end_orphans(tracking: Tracking, experiment_id: str, but: str) -> list[str]:
    """Mark the experiment's local runs KILLED whose processes on this machine are gone.

    Args:
        but: the id of the run that is about to start.

    Returns:
        Their ids.

    Raises:
        NotAllowed, BadInput, Unreachable: as `answers.answered` does.
    """
    ended = []
    with answered(f"runs of experiment {experiment_id}"):
        for run in _running_here(tracking, experiment_id):
            run_id = run.info.run_id
            if run_id == but or _is_there(run):
                continue
            if tracking.run(run_id).info.status == "RUNNING":  # it may have ended meanwhile
                tracking.client().set_tag(run_id, "error", "its process is gone")
                tracking.end(run_id, "KILLED")
                ended.append(str(run_id))
    return ended


def _running_here(tracking: Tracking, experiment_id: str) -> list[Run]:
    host = socket.gethostname().replace("'", "")
    return list(tracking.client().search_runs(
        [experiment_id], "attributes.status = 'RUNNING' AND tags.`mlflow.project.backend` = "
        f"'local' AND tags.`{HOST}` = '{host}'"))


def _is_there(run: Run) -> bool:
    tags = run.data.tags
    return (_lives(int(tags[PID]), float(tags[STARTED]))
            or run.info.run_id in _runs_of_processes())


def _lives(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        return (abs(process.create_time() - started) < TOLERANCE
                and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _runs_of_processes() -> Iterator[str]:
    """The runs that processes of this machine still work on: a project may outlive its trigger."""
    for process in psutil.process_iter():
        try:
            if run_id := process.environ().get("MLFLOW_RUN_ID"):
                yield run_id
        except (psutil.Error, OSError):  # another user's, or gone
            continue
