"""`run.py` as a user calls it: what it refuses, how it ends, what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.clone import ROOT
from support.processes import processes_of_session, trigger, wait_until

RUN = [sys.executable, "mlflow-triggers/run.py"]


REFUSED = [
    (["fraud-trainig"],
     "project fraud-trainig is not in mlflow-notebooks/; found fraud-monitoring, "
     "fraud-scoring, fraud-training, terminal-watch."),
    (["fraud-training", "--on", "mars"], "target mars is not in targets.yml; found local, dev, "),
    (["fraud-training", "-e", "trian"], "entry point trian is unknown to project fraud-training"),
    (["fraud-training", "-P", "train_day=3"], "parameter train_day is unknown to entry point main"),
    (["fraud-training", "-P", "train_days=3.5"],
     "parameter train_days is '3.5'; expected a whole number from 1 to 3,650."),
    (["fraud-training", "-P", "model=svm"], "expected one of hist_gradient_boosting, logistic"),
    (["fraud-training", "-P", "data=/no/file"], "'/no/file'; expected an existing file or folder."),
    (["fraud-training", "-P", "data="], "parameter data is ''; expected something; leave it out"),
    (["fraud-training", "-P", "columns= "], "parameter columns is ' '; expected something"),
    (["fraud-training", "-P", "schema="], "parameter schema is ''; expected something"),
    (["fraud-training", "--on", "dev", "-P", "data="], "parameter data is ''; expected something"),
    (["fraud-training", "-P", "seed"], "-P seed: expected NAME=VALUE."),
    (["fraud-training", "-P", "seed=1", "-P", "seed=2"], "-P seed: given twice."),
    (["fraud-training", "--wheel", "none.whl"], "wheel none.whl: no such wheel file"),
    (["fraud-training", "--branch", " "], "branch"),
    (["fraud-training", "--fast"], "No such option"),
    (["fraud-training", "--live"], "--live: works on a workspace only; target local is this mach"),
    (["fraud-training", "--on", "dev", "-P", "data=tests"],
     "'tests'; expected an address that the workspace reaches, such as /Volumes/..."),
    (["fraud-training", "--on", "dev", "--live", "--wheel", "x.whl"], "expected only one of"),
    (["fraud-training", "--all"], "--all: works with --from-main only; without it no step is"),
    (["fraud-training", "--branch", "main", "--from-main"], "the branch is main itself; leave it"),
    ([], "Missing argument"),
]


@pytest.mark.parametrize(("arguments", "line"), REFUSED, ids=[line for _, line in REFUSED])
def test_what_cannot_be_used_exits_with_2_and_one_line(
        arguments: list[str], line: str, tmp_path: Path) -> None:
    done = trigger("run", *arguments, MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/mlflow.db")
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and line in done.stderr
    assert not (tmp_path / "mlflow.db").exists(), "something was started"


def test_without_the_environment_the_trigger_says_how_to_make_it() -> None:
    done = subprocess.run([sys.executable, "-S", "-E", "-s", "mlflow-triggers/run.py"], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("run.py: ")
    assert "run `make setup`" in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.spark
def test_one_step_runs_alone_and_one_that_lacks_its_input_exits_with_2_and_its_reason(
        landing: Path, store: str, connect: str, tmp_path: Path) -> None:
    where = ["--branch", "feature/One", "-P", f"lakehouse={tmp_path}"]
    done = trigger("run", "fraud-training", "-e", "ingest", "-P", f"data={landing}", *where,
                   MLFLOW_TRACKING_URI=store)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "/branchline/fraud-training/feature-one-" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines() if " s   " in line] == [
        "spark", "ingest"]
    page = tmp_path / "page.md"
    done = trigger("run", "fraud-training", "-e", "train", "-P", f"data={landing}", *where,
                   "--summary", str(page), MLFLOW_TRACKING_URI=store, SPARK_REMOTE=connect,
                   TF_BUILD="True")
    assert done.returncode == 2
    assert page.read_text().startswith("## fraud-training: failed\n")
    assert "step train reads silver.transactions" in page.read_text()
    assert f"##vso[task.uploadsummary]{page}" in done.stdout
    assert "step train reads silver.transactions" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.spark
def test_ctrl_c_while_spark_works_marks_the_run_killed_and_leaves_no_process(
        store: str, tmp_path: Path) -> None:
    import mlflow
    process = subprocess.Popen(
        [*RUN, "fraud-training", "--branch", "killed", "-P", f"lakehouse={tmp_path}"], cwd=ROOT,
        env={**os.environ, "MLFLOW_TRACKING_URI": store}, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    while "  spark" not in (line := process.stdout.readline()):
        assert line or process.poll() is None
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate()
    assert process.returncode == 130 and said.rstrip().endswith("run.py: interrupted")
    mlflow.set_tracking_uri(store)
    experiment = mlflow.get_experiment_by_name("/branchline/fraud-training/killed")
    assert experiment is not None
    runs = mlflow.MlflowClient().search_runs([experiment.experiment_id])
    assert [found.info.status for found in runs] == ["KILLED"]
    wait_until(lambda: processes_of_session(process.pid) == [])
