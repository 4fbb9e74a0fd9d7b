"""Steps that are killed in the middle of writing, and what the next run makes of their tables."""

from __future__ import annotations

import os
import random
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
from tests.fraud_detection.landed import HEADER
from tests.taking import start_taking, take
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
def test_after_a_kill_during_a_write_the_next_run_leaves_correct_tables(
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


KILLS, WITH_THEIR_JVM = 18, 2


def land(folder: Path, number: int) -> None:
    """A file of a row that is good, one that is bad, and ids that are in the file before, too."""
    rows = [f"{number}-{at},2018-04-01 1{at}:00:00,c,t,{'x' if at == 3 else at},0"
            for at in range(6)] + [f"{number - 1}-0,2018-04-01 10:00:00,late,t,1,0"]
    made = folder / f".{number:03}.csv"  # a file is seen when it is whole
    made.write_text(HEADER + "\n".join(rows) + "\n")
    made.rename(folder / f"{number:03}.csv")


def killed_at_random(server: str, settings: Settings, seed: int, folder: Path) -> list[int | None]:
    """Exit codes of processes that take what is new, each killed at some moment of its work.

    Its time is cut into equal parts: one is killed in each of them, in any order.
    """
    chance, lasts, codes = random.Random(seed), 0.0, []
    moments = [(part + chance.random()) / KILLS for part in chance.sample(range(KILLS), KILLS)]
    for number in range(KILLS + 2):
        land(folder, number)
        process, began = start_taking(server, settings), time.monotonic()
        process.join(None if number < 2 else lasts * moments[number - 2])
        process.kill()
        process.join()
        lasts = lasts if number > 1 else time.monotonic() - began  # of the second, undisturbed
        codes.append(process.exitcode)
    return codes


def killed_with_their_jvm(project: Project, seed: int, folder: Path) -> list[int]:
    """Exit codes of whole processes, killed with the JVM that works for them."""
    chance, codes = random.Random(seed), []
    for number in range(WITH_THEIR_JVM):
        land(folder, KILLS + 2 + number)
        process = project.start("ingest", "prepare")
        assert process.stdout is not None
        while "  spark" not in (line := process.stdout.readline()):
            assert line or process.poll() is None
        time.sleep(chance.uniform(0, 8))
        kill(process)
        codes.append(process.returncode)
    return codes


def test_random_kills_of_ingest_and_prepare_change_no_row(
        spark: Any, connect: str, store: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    folder, tables = tmp_path / "landed", tmp_path / "lakehouse"
    folder.mkdir()
    settings = Settings(data=str(folder), lakehouse=str(tables), schema="a_branch", verify="true")
    codes = killed_at_random(connect, settings, seed, folder)
    assert codes[:2] == [0, 0] and set(codes[2:]) <= {0, -SIGKILL} and -SIGKILL in codes
    project = Project(["--data", str(folder), "--schema", "a_branch"], tables, store)
    assert set(killed_with_their_jvm(project, seed, folder)) <= {0, -SIGKILL}
    undisturbed = Lakehouse(spark, str(tmp_path / "undisturbed"), settings.tables_schema)
    found = Lakehouse(spark, str(tables), settings.tables_schema)
    for lakehouse in (undisturbed, found):
        take(lakehouse, settings)
    assert contents(found) == contents(undisturbed)
    assert len(contents(found)["silver.duplicates"]) == len(list(folder.iterdir())) - 1
