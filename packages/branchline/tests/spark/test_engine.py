"""The warm engine of a checkout: which runs use it, with which code, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from branchline.spark.engine_record import folder_of, is_alive, read
from branchline.spark.engine_use import used
from support.clone import clone
from support.processes import trigger, wait_until

pytestmark = [pytest.mark.spark, pytest.mark.slow]

CODE = """
def answer(batches):
    for batch in batches:
        yield batch.rename_columns(["answer"])
WORD = "{word}"
def word(batches):
    import pyarrow as pa
    for batch in batches:
        yield pa.RecordBatch.from_pydict({{"answer": [WORD]}})
def endless(batches):
    import pathlib, time
    pathlib.Path(__file__).with_suffix(".asleep").touch()
    time.sleep(600)
    yield from batches
"""
RUN = """
import sys
import ours
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("connected", flush=True)
print(spark.range(1, numPartitions=1).mapInArrow(getattr(ours, sys.argv[1]), "answer STRING")
      .collect()[0]["answer"])
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout, with a module beside it that a run's workers can import."""
    made = clone(tmp_path_factory.mktemp("engine") / "clone")
    (made.parent / "code").mkdir()
    return made


@pytest.fixture(scope="module")
def variables(root: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root.parent / "code"), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def started(root: Path, variables: dict[str, str]) -> Iterator[str]:
    """What `engine start` said."""
    yield engine(root, variables, "start").stdout
    engine(root, variables, "stop")
    assert not is_alive(folder_of(root))


def engine(root: Path, variables: dict[str, str],
           *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "branchline.cli.main", "engine", *words],
                          cwd=root, env=variables, capture_output=True, text=True)


def started_run(variables: dict[str, str], function: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", RUN, function], env=variables, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def write(root: Path, word: str) -> None:
    (root.parent / "code" / "ours.py").write_text(CODE.format(word=word))


def test_each_run_s_workers_load_the_code_as_it_is_then(
        root: Path, variables: dict[str, str], started: str) -> None:
    for word in ("before", "afterwards"):
        write(root, word)
        said: list[str] = []
        with used(root, variables, said.append) as added:
            out, err = started_run({**variables, **added}, "word").communicate()
        assert out == f"connected\n{word}\n", err
        assert re.fullmatch(r"engine      warm, process \d+", said[0]) and len(said) == 1


def test_what_a_run_left_at_work_ends_with_it(
        root: Path, variables: dict[str, str], started: str) -> None:
    write(root, "unused")
    with used(root, variables, print) as added:
        process = started_run({**variables, **added}, "endless")
        wait_until((root.parent / "code" / "ours.asleep").exists)
    _, complaint = process.communicate()
    assert process.returncode == 1 and "SESSION" in complaint


def test_run_py_uses_the_engine_and_starts_no_spark_of_its_own(
        root: Path, variables: dict[str, str], started: str, store: str, tmp_path: Path) -> None:
    data = tmp_path / "some.csv"
    data.write_text("TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n"
                    "1,2018-04-01 10:00:00,c,t,1.5,0\n")
    given = {name: variables[name] for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")}
    done = trigger("run", "fraud-training", "-e", "ingest", "-P", f"data={data}", "-P",
                   f"lakehouse={tmp_path}/lakehouse", folder=root, MLFLOW_TRACKING_URI=store,
                   **given)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "engine      warm, process " in done.stdout
    assert re.search(r"^  ingest +1 rows ", done.stdout, re.MULTILINE)
    assert not (tmp_path / "spark.log").exists()


def test_only_this_user_can_read_how_to_reach_it_and_a_client_without_that_is_refused(
        root: Path, variables: dict[str, str], started: str) -> None:
    folder = folder_of(root)
    found = read(folder)
    assert found and found.token not in repr(found)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "engine.json").stat().st_mode & 0o777 == 0o600
    process = psutil.Process(found.process)
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # a worker that has just ended
            assert found.token not in " ".join(each.cmdline())
    stranger = {**variables, "SPARK_REMOTE": f"sc://localhost:{found.port}"}
    _, complaint = started_run(stranger, "word").communicate()
    assert "UNAUTHENTICATED" in complaint


def test_another_checkout_or_environment_is_told_in_one_line_and_not_served(
        root: Path, variables: dict[str, str], started: str, tmp_path: Path) -> None:
    said: list[str] = []
    moved = root.rename(root.with_name("moved"))
    try:
        with used(moved, variables, said.append) as added:
            assert added == {}
    finally:
        moved.rename(root)
    with used(root, {**variables, "TZ": "Asia/Tokyo"}, said.append) as added:
        assert added == {}
    for line, other in zip(said, (f"checkout ({root})", "environment"), strict=True):
        assert f"was started with another {other}; restart it: " in line
        assert line.startswith("engine      not used: ") and "\n" not in line
    assert is_alive(folder_of(root))


def test_a_run_that_names_a_spark_of_its_own_keeps_it(
        root: Path, variables: dict[str, str], started: str) -> None:
    with used(root, {**variables, "SPARK_REMOTE": "sc://elsewhere"}, pytest.fail) as added:
        assert added == {}


def test_it_serves_one_run_at_a_time(
        root: Path, variables: dict[str, str], started: str) -> None:
    said: list[str] = []
    with used(root, variables, print), used(root, variables, said.append) as added:
        assert added == {} and "not used: another run is using process" in said[0]


def test_it_is_started_once_and_not_stopped_under_a_run(
        root: Path, variables: dict[str, str], started: str) -> None:
    assert started == engine(root, variables, "status").stdout
    assert re.match(r"an engine is running: process \d+, log ", started)
    again = engine(root, variables, "start")
    assert again.returncode == 2 and "an engine is running: process" in again.stderr
    with used(root, variables, print):
        refused = engine(root, variables, "stop")
    assert refused.returncode == 2 and "a run is using process" in refused.stderr
    assert is_alive(folder_of(root))


def test_one_that_died_is_told_once_and_leaves_no_process(
        root: Path, variables: dict[str, str], started: str) -> None:
    found = read(folder_of(root))
    assert found
    process = psutil.Process(found.process)
    family = [process, *process.children(recursive=True)]
    process.send_signal(signal.SIGKILL)
    psutil.wait_procs(family, 60)
    said: list[str] = []
    for _ in range(2):
        with used(root, variables, said.append) as added:
            assert added == {}
    assert said == [f"engine      not used: process {found.process} is gone; `branchline engine "
                    "start` starts another. This run starts a Spark of its own."]
    assert not [each for each in family if each.is_running()]


def test_it_ends_by_itself_when_no_run_comes(
        root: Path, variables: dict[str, str], started: str) -> None:
    assert engine(root, variables, "start", "--idle", "0.02").returncode == 0
    wait_until(lambda: not is_alive(folder_of(root)))
    assert engine(root, variables, "status").stdout == "no engine is running\n"


def test_one_ends_with_its_record_and_makes_nothing_of_a_deleted_checkout_again(
        root: Path, variables: dict[str, str], started: str) -> None:
    assert engine(root, variables, "start").returncode == 0
    found = read(folder_of(root))
    assert found
    process = psutil.Process(found.process)
    deleted = root.rename(root.with_name("deleted"))
    try:
        psutil.wait_procs([process], 60)
        assert not process.is_running() and not root.exists()
        assert not is_alive(folder_of(root)) and not is_alive(folder_of(deleted))
    finally:
        deleted.rename(root)


def test_one_that_cannot_start_says_why_in_one_line(
        root: Path, variables: dict[str, str], tmp_path: Path) -> None:
    variables = {**variables, "PATH": str(tmp_path), "JAVA_HOME": str(tmp_path)}
    done = engine(root, variables, "start")
    assert done.returncode == 2 and "did not start: Java: not found" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and done.stdout == ""
