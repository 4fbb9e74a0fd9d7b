from __future__ import annotations

import os
import signal
from pathlib import Path

import mlflow
import pytest

from branchline.branch import Branch
from branchline.config.mlproject import find_project
from branchline.config.targets import LocalTarget
from branchline.errors import BadInput
from branchline.platforms.find import open_platform
from branchline.platforms.local.platform import LocalPlatform
from branchline.runs import summary
from branchline.runs.request import Asked, pairs, request
from branchline.runs.start import start
from branchline.runs.tracking import Tracking
from support.clone import ROOT

LOCAL = LocalTarget("local", "sqlite:///here/mlflow.db", "tables", "/branchline")
FEATURE = Branch("branch", "feature-a")


def test_options_become_pairs_and_a_value_may_hold_an_equals_sign() -> None:
    assert pairs(["seed=1", "data=a=b", "empty="]) == {"seed": "1", "data": "a=b", "empty": ""}


@pytest.mark.parametrize(("given", "line"), [
    (["seed"], "-P seed: expected NAME=VALUE."), (["=1"], "-P =1: expected NAME=VALUE."),
    (["seed=1", "seed=2"], "-P seed: given twice.")])
def test_an_option_without_an_equals_sign_is_refused(given: list[str], line: str) -> None:
    with pytest.raises(BadInput) as refused:
        pairs(given)
    assert str(refused.value) == line


def test_a_request_has_the_branchs_tables_unless_others_are_given(tmp_path: Path) -> None:
    project = find_project("fraud-training", ROOT / "mlflow-notebooks")
    asked = request(tmp_path, LOCAL, project, FEATURE, Asked("compare", {"seed": "7"}))
    assert asked.parameters["schema"] == "feature_a"
    assert asked.parameters["lakehouse"] == str(tmp_path / "tables")
    assert (asked.parameters["seed"], asked.parameters["steps"]) == ("7", "compare")
    given = request(tmp_path, LOCAL, project, FEATURE, Asked("compare", {"schema": "main"}))
    assert given.parameters["schema"] == "main"


def test_a_missing_wheel_is_refused_before_anything_is_reached(tmp_path: Path) -> None:
    project = find_project("fraud-training", ROOT / "mlflow-notebooks")
    with pytest.raises(BadInput, match="no such wheel file"):
        request(tmp_path, LOCAL, project, FEATURE, Asked(wheels=(tmp_path / "none.whl",)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_before_it_is_launched_is_killed(
        number: int, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = find_project("fraud-training", ROOT / "mlflow-notebooks")
    target = LocalTarget("local", store, "tables", str(tmp_path))
    here = LocalPlatform(target, ROOT, Tracking(store, tmp_path))
    asked = request(ROOT, here.target, project, FEATURE, Asked())
    monkeypatch.setattr(summary, "show_start", lambda *_: os.kill(os.getpid(), number))
    with pytest.raises(KeyboardInterrupt):
        start(here, asked, {})
    [run] = mlflow.search_runs(output_format="list", experiment_names=[
        FEATURE.experiment(str(tmp_path), project.name)])
    assert run.info.status == "KILLED"


def test_a_local_target_uses_the_tracking_store_in_the_variable(tmp_path: Path) -> None:
    platform = open_platform(LOCAL, tmp_path, {})
    assert isinstance(platform, LocalPlatform) and platform.backend == "local"
    assert platform.tracking.uri == f"sqlite:///{tmp_path}/here/mlflow.db"
    assert open_platform(LOCAL, tmp_path, {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"}
                         ).tracking.uri == "http://127.0.0.1:5000"
