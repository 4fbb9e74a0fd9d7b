"""Runs whose process was killed: ended by the next run, and only those."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from branchline.runs.orphans import end_orphans, own_process
from branchline.runs.tracking import Tracking

pytestmark = pytest.mark.spark  # a store is made once for the tests that share it
LOCAL = {"mlflow.project.backend": "local"}


@pytest.fixture
def tracking(store: str, tmp_path: Path) -> Tracking:
    return Tracking(store, tmp_path)


@pytest.fixture
def experiment(tracking: Tracking, tmp_path: Path) -> str:
    return tracking.experiment(str(tmp_path))


@pytest.fixture
def killed() -> dict[str, str]:
    """The tags of a process of this machine that SIGKILL has ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from branchline.runs.orphans import own_process as o\n"
         "print(*o().values(), flush=True)\ninput()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    tags = dict(zip(own_process(), process.stdout.readline().split(), strict=True))
    process.kill()
    process.communicate()
    return tags


def status(tracking: Tracking, run_id: str) -> str:
    return str(tracking.run(run_id).info.status)


def test_a_run_whose_process_was_killed_is_marked(
        tracking: Tracking, experiment: str, killed: dict[str, str]) -> None:
    run_id = tracking.start(experiment, "main", LOCAL | killed, {})
    assert end_orphans(tracking, experiment, "other") == [run_id]
    assert status(tracking, run_id) == "KILLED"
    assert tracking.run(run_id).data.tags["error"] == "its process is gone"


def test_a_reused_process_id_does_not_keep_a_run_alive(
        tracking: Tracking, experiment: str) -> None:
    run_id = tracking.start(experiment, "main",
                            LOCAL | own_process() | {"process.started": "1000000.00"}, {})
    assert end_orphans(tracking, experiment, "other") == [run_id]


@pytest.mark.parametrize("change", [
    own_process(), {"process.host": "another-machine"},
    {"mlflow.project.backend": "databricks-jobs"}], ids=["alive", "elsewhere", "workspace"])
def test_a_run_that_may_still_be_running_is_left_alone(
        tracking: Tracking, experiment: str, killed: dict[str, str],
        change: dict[str, str]) -> None:
    run_id = tracking.start(experiment, "main", LOCAL | killed | change, {})
    assert end_orphans(tracking, experiment, "other") == []
    assert status(tracking, run_id) == "RUNNING"


def test_the_run_that_starts_and_runs_without_the_tags_are_left_alone(
        tracking: Tracking, experiment: str, killed: dict[str, str]) -> None:
    own = tracking.start(experiment, "main", LOCAL | killed, {})
    old = tracking.start(experiment, "main", LOCAL, {})
    assert end_orphans(tracking, experiment, own) == []
    assert (status(tracking, own), status(tracking, old)) == ("RUNNING", "RUNNING")


@pytest.fixture
def worker(tracking: Tracking, experiment: str, killed: dict[str, str]) -> Iterator[str]:
    """A run that a project still works on, although its trigger was killed."""
    run_id = tracking.start(experiment, "main", LOCAL | killed, {})
    process = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               env={**os.environ, "MLFLOW_RUN_ID": run_id})
    assert process.stdout
    process.stdout.readline()
    yield run_id
    process.communicate()


def test_a_project_that_outlived_its_trigger_keeps_its_run(
        tracking: Tracking, experiment: str, worker: str) -> None:
    assert end_orphans(tracking, experiment, "other") == []
    assert status(tracking, worker) == "RUNNING"
