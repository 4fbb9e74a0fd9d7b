from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from branchline.branch import Branch
from branchline.config.targets import LocalTarget
from branchline.errors import RunFailed
from branchline.platforms.local.launch import launch
from branchline.runs.tracking import Tracking, connect
from branchline.wheels import build as wheel
from support.clone import ROOT
from support.processes import kill, processes_of_session, wait_until
from support.sample_project import request, started

TARGET = LocalTarget("local", "sqlite:///mlflow.db", "lakehouse", "/branchline")
pytestmark = pytest.mark.spark


@pytest.fixture
def tracking(store: str, tmp_path: Path) -> Tracking:
    return Tracking(store, tmp_path / "artifacts")


def test_a_project_runs_in_its_experiment_with_parameters_tags_and_metrics(
        tracking: Tracking) -> None:
    asked = request({"who": "a 'quoted'; $(name)"})
    experiment_id, run_id = started(tracking, asked, "feature-a")
    launch(asked, tracking, experiment_id, run_id)
    run = tracking.run(run_id)
    assert run.info.status == "FINISHED"
    assert run.info.experiment_id == experiment_id
    assert run.data.metrics == {"letters": 19}
    assert run.data.params["who"] == "a 'quoted'; $(name)" and run.data.params["then"] == "end"
    assert Path(run.data.params["python"]).parent == Path(sys.executable).parent
    expected = {"branch": "feature/a", "commit": "c0ffee" * 6 + "c0ff", "dirty": "false",
                "wheel_version": "1.0+gc0ffeec0ffee", "project": "sample-project",
                "started_by": "me", "mlflow.project.entryPoint": "main"}
    assert expected.items() <= run.data.tags.items()


def test_an_experiment_is_created_once_with_artifacts_beside_the_database(
        tracking: Tracking) -> None:
    first, second = (tracking.experiment("/branchline/sample-project/twice") for _ in range(2))
    folder = tracking.client().get_experiment(first).artifact_location
    assert first == second
    assert tracking.artifacts is not None
    assert folder == (tracking.artifacts / "branchline/sample-project/twice").as_uri()


def test_a_project_that_fails_marks_its_run_and_logs_its_error(tracking: Tracking) -> None:
    asked = request({"then": "fail"})
    experiment_id, run_id = started(tracking, asked, "feature-b")
    with pytest.raises(RunFailed, match="sample-project: the run failed: told to fail"):
        launch(asked, tracking, experiment_id, run_id)
    assert tracking.run(run_id).info.status == "FAILED"


def test_a_wheel_runs_in_an_environment_that_has_it_and_not_the_source(
        tracking: Tracking, tmp_path: Path) -> None:
    built = wheel.build(ROOT, tmp_path)
    asked = request({}, *built)
    experiment_id, run_id = started(tracking, asked, "feature-c")
    launch(asked, tracking, experiment_id, run_id)
    run = tracking.run(run_id)
    where = Path(run.data.params["branchline_in"])
    assert run.info.status == "FINISHED" and run.data.tags["wheel_version"] in built[-1].name
    assert ROOT not in where.parents and where.parent.name == "site-packages"
    assert not where.exists(), "the environment outlived its run"


LAUNCHER = """
import sys
from branchline.runs.tracking import Tracking
from branchline.platforms.local.launch import launch
from support.sample_project import request, started
from pathlib import Path
tracking = Tracking(sys.argv[1], Path(sys.argv[2]))
asked = request({"then": "sleep"})
experiment_id, run_id = started(tracking, asked, sys.argv[3])
print(run_id, flush=True)
launch(asked, tracking, experiment_id, run_id)
"""


@pytest.fixture(scope="module")
def sleeping(store: str, tmp_path_factory: pytest.TempPathFactory,
             ) -> Iterator[dict[signal.Signals, subprocess.Popen[str]]]:
    """By the signal that is for it: a process that has launched a project which only sleeps."""
    processes = {}
    for sent in (signal.SIGINT, signal.SIGTERM):
        processes[sent] = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, store, str(tmp_path_factory.mktemp(sent.name)),
             f"killed-{sent.name}"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "packages" / "branchline" / "tests")})
    yield processes
    for process in processes.values():
        if process.returncode is None:
            kill(process)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_mark_the_run_killed_and_leave_no_process(
        tracking: Tracking, sleeping: dict[signal.Signals, subprocess.Popen[str]],
        sent: signal.Signals) -> None:
    process = sleeping[sent]
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    wait_until(lambda: tracking.run(run_id).data.tags.get("sleeping") == "yes")
    process.send_signal(sent)
    process.communicate()
    assert tracking.run(run_id).info.status == "KILLED"
    wait_until(lambda: processes_of_session(process.pid) == [])


def test_a_target_gives_the_branch_s_tables(tmp_path: Path) -> None:
    values = TARGET.values(Branch("branch", "Feature/A"), tmp_path)
    assert values["lakehouse"] == str(tmp_path / "lakehouse")
    assert values["schema"] == Branch("branch", "Feature/A").schema != "feature_a"


def test_the_usual_variable_chooses_the_tracking_store(tmp_path: Path) -> None:
    server = connect(TARGET.tracking_uri, tmp_path, {"MLFLOW_TRACKING_URI": "http://127.0.0.1:1"})
    assert server == Tracking("http://127.0.0.1:1", None)
    database = connect(TARGET.tracking_uri, tmp_path, {"MLFLOW_TRACKING_URI": ""})
    assert database.uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert database.artifacts == tmp_path / "artifacts"
