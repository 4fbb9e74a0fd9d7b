from __future__ import annotations

from pathlib import Path

import mlflow
import pytest

from branchline.deploy.gate_result import gate_result
from branchline.deploy.release import GateResult
from branchline.errors import BadInput
from branchline.runs.tracking import Tracking
from support.releasing import PNG, register

VERSION, COMMIT = "1.0+g1", "c" * 40
VERDICT = '{"passed": true}'


@pytest.fixture
def tracking(store: str, tmp_path: Path) -> Tracking:
    """A store in which the experiment of the test's own name is empty."""
    mlflow.set_tracking_uri(store)
    mlflow.create_experiment(str(tmp_path), (tmp_path / "artifacts").as_uri())
    return Tracking(store, tmp_path)


def run_of(folder: Path, outcome: str | None, version: str = VERSION) -> str:
    """A run on the commit, judged unless `outcome` is None."""
    tags = {"commit": COMMIT, "wheel_version": version, "table.silver": "7",
            "model.form": "onnx: as scikit-learn"}
    if outcome:
        tags |= {"gate": outcome, "gate.reasons": f"{outcome} (a reason)"}
    mlflow.set_experiment(str(folder))
    with mlflow.start_run(tags=tags) as run:
        if outcome:
            mlflow.log_text(VERDICT, "gate/verdict.json")
        return str(run.info.run_id)


def found(tracking: Tracking, folder: Path, run_id: str | None = None) -> GateResult:
    return gate_result(tracking, str(folder), VERSION, COMMIT, folder.name, run_id)


def test_a_commit_without_a_judged_run_has_no_verdict(tracking: Tracking, tmp_path: Path) -> None:
    assert gate_result(tracking, "/no/such", VERSION, COMMIT, "model").outcome == "none"
    run_of(tmp_path, None)
    assert found(tracking, tmp_path) == GateResult()


def test_the_newest_judged_run_decides(tracking: Tracking, tmp_path: Path) -> None:
    run_of(tmp_path, "passed")
    newest = run_of(tmp_path, "refused")
    run_of(tmp_path, None)
    verdict = found(tracking, tmp_path)
    assert (verdict.outcome, verdict.run, verdict.line) == ("refused", newest, "refused (a reason)")
    assert verdict.tables == {"silver": "7"} and verdict.verdict == {"passed": True}
    assert verdict.model is None and verdict.picture is None
    assert verdict.form == "onnx: as scikit-learn"


def test_a_run_of_changed_sources_on_the_commit_does_not_count(
        tracking: Tracking, tmp_path: Path) -> None:
    run_of(tmp_path, "passed", f"{VERSION}.d0123456789ab")
    assert found(tracking, tmp_path).outcome == "none"


def test_a_named_run_decides_if_it_ran_this_version(tracking: Tracking, tmp_path: Path) -> None:
    passed = run_of(tmp_path, "passed")
    run_of(tmp_path, "refused")
    assert found(tracking, tmp_path, passed).outcome == "passed"
    other = run_of(tmp_path, "passed", "1.0+g2")
    with pytest.raises(BadInput, match=r"ran version 1.0\+g2, but the checkout is 1.0\+g1"):
        found(tracking, tmp_path, other)
    assert found(tracking, tmp_path, run_of(tmp_path, None)).outcome == "none"


def test_the_model_is_the_version_registered_from_the_run(
        tracking: Tracking, tmp_path: Path) -> None:
    run = run_of(tmp_path, "passed")
    tracking.client().log_artifact(run, str(picture(tmp_path)), "gate")
    register(f"another-{tmp_path.name}", run)
    assert found(tracking, tmp_path).model is None
    assert register(tmp_path.name, run) == found(tracking, tmp_path).model
    register(tmp_path.name)
    assert found(tracking, tmp_path).model == f"models:/{tmp_path.name}/1"
    assert found(tracking, tmp_path).picture == PNG


def picture(folder: Path) -> Path:
    (folder / "verdict.png").write_bytes(PNG)
    return folder / "verdict.png"
