"""Steps that are killed in the middle of writing, and what the next run makes of their tables."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from importlib import import_module
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from branchline.lakehouse import Lakehouse, Table
from fraud_detection.settings import Settings
from fraud_detection.tables import BRONZE_TRANSACTIONS, FEATURES, SCORES, TRANSACTIONS
from support.processes import Project, kill
from tests.tables import contents, copied, newest_model

pytestmark = pytest.mark.spark

# What is not there yet when the step runs first, and the table that it is killed in.
KILLED: dict[str, tuple[list[str], Table]] = {
    "ingest": (["bronze", "_checkpoints", "silver", "gold"], BRONZE_TRANSACTIONS),
    "prepare": (["silver", "gold"], TRANSACTIONS),
    "featurize": (["gold"], FEATURES),
    "predict": (["gold/scores", "gold/daily_kpis", "gold/monitoring"], SCORES),
}


@pytest.fixture(scope="module")
def told(finished: Lakehouse, arguments: list[str]) -> list[str]:
    return [*arguments, "--model_uri", newest_model(finished)]


@pytest.fixture(scope="module")
def killed(finished: Lakehouse, told: list[str], store: str,
           tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lakehouse]:
    """By step: tables as they are up to it, in which a process of its own was killed by SIGKILL."""
    lakehouses, processes = {}, {}
    for step, (later, _) in KILLED.items():
        lakehouses[step] = copied(finished, tmp_path_factory.mktemp(step))
        for name in later:
            shutil.rmtree(Path(lakehouses[step].root, finished.schema, name))
        processes[step] = Project(told, Path(lakehouses[step].root), store).start(step)
    try:
        kill_each_while_it_writes(processes, {
            step: Path(lakehouses[step].root, finished.schema, table.name.replace(".", "/"))
            for step, (_, table) in KILLED.items()})
    finally:
        for process in processes.values():
            if process.returncode is None:
                kill(process)
    assert {step: process.returncode for step, process in processes.items()} == dict.fromkeys(
        KILLED, -SIGKILL)
    return lakehouses


def kill_each_while_it_writes(processes: dict[str, subprocess.Popen[str]],
                              folders: dict[str, Path]) -> None:
    """SIGKILL each process and its JVM as soon as its table has a data file; none ends before."""
    waiting = set(processes)
    while waiting:
        for step in sorted(waiting):
            ended = processes[step].poll() is not None
            if ended or any(folders[step].glob("*.parquet")):
                if not ended:
                    kill(processes[step])
                waiting.remove(step)
        time.sleep(0.002)


@pytest.mark.parametrize("step", KILLED)
def test_a_step_that_was_killed_while_it_wrote_leaves_its_next_run_right_tables(
        step: str, killed: dict[str, Lakehouse], expected: dict[str, Any],
        told: list[str]) -> None:
    lakehouse = killed[step]
    settings = Settings.from_arguments([*told, "--lakehouse", lakehouse.root])
    with lakehouse.writing():
        import_module(f"fraud_detection.steps.{step}").run(lakehouse, settings)
    found = contents(lakehouse)
    assert KILLED[step][1].name in found
    assert found == {name: expected[name] for name in found}


def test_a_run_on_tables_that_another_process_writes_names_that_process(
        spark: Any, connect: str, arguments: list[str], store: str, tmp_path: Path) -> None:
    schema = Settings.from_arguments(arguments).tables_schema
    with Lakehouse(spark, str(tmp_path), schema).writing():
        process = Project(arguments, tmp_path, store, SPARK_REMOTE=connect).start("ingest")
        said, _ = process.communicate()
    assert process.returncode == 1
    assert f"process {os.getpid()} is writing them" in said.splitlines()[-1]
