from __future__ import annotations

import json
from pathlib import Path

import mlflow
import pytest

from branchline.config.mlproject import Project
from branchline.config.targets import LocalTarget
from branchline.errors import RunFailed
from branchline.gate.candidates import Candidate, find_candidate
from branchline.gate.comparison import Comparison, Measured, Model
from branchline.gate.run import log_verdict, register, undecidable_if_it_fails, write_page
from branchline.gate.verdict import Interval, Reason, Verdict
from branchline.platforms.local.platform import LocalPlatform
from branchline.runs.registry import Registry
from branchline.runs.tracking import Tracking
from support.tracked import experiment, finished

COMPARISON = Comparison(Model("models:/m-1"), Model("models:/fraud/1"),
                        (Measured("ap", 0.25, 0.5, 0.01), Measured("unknown", None)))
REFUSED = Verdict(False, "models:/m-1", "models:/fraud/1", (
    Reason("ap difference", "fail", "-0.2500", "down by at most 0.02",
           Interval(-0.25, -0.3, -0.2, -0.02)),))


@pytest.fixture
def judged(store: str, tmp_path: Path) -> tuple[Tracking, Candidate]:
    """A finished run with a model."""
    tracking, experiment_id = experiment(store, tmp_path)
    run_id = finished(experiment_id, with_model=True, tags={
        "commit": "c0ffee", "wheel_version": "0.1.0+gc0ffee", "branch": "main",
        "table.gold.features": "4"})
    return tracking, find_candidate(tracking, experiment_id, run_id, with_model=True)


def test_a_verdict_is_in_the_candidates_run_with_its_picture_and_the_difference(
        judged: tuple[Tracking, Candidate]) -> None:
    tracking, candidate = judged
    log_verdict(tracking, candidate, REFUSED, COMPARISON)
    run = tracking.run(candidate.run_id)
    assert (run.info.status, run.data.tags["gate"]) == ("FINISHED", "refused")
    assert run.data.tags["gate.reasons"] == REFUSED.line
    assert run.data.metrics == {"gate/ap_difference": -0.25}
    logged = tracking.client().list_artifacts(candidate.run_id, "gate")
    assert [file.path for file in logged] == [
        f"gate/{name}" for name in ("comparison.json", "verdict.json", "verdict.md", "verdict.png")]
    text = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/gate/verdict.json")
    assert json.loads(text)["passed"] is False


def test_a_later_verdict_replaces_an_earlier_one(
        judged: tuple[Tracking, Candidate]) -> None:
    tracking, candidate = judged
    log_verdict(tracking, candidate, REFUSED, COMPARISON)
    log_verdict(tracking, candidate, Verdict(True, "a", None, ()), COMPARISON)
    assert tracking.run(candidate.run_id).data.tags["gate"] == "passed"


def test_a_failed_gate_removes_an_earlier_verdict(
        judged: tuple[Tracking, Candidate]) -> None:
    tracking, candidate = judged
    log_verdict(tracking, candidate, Verdict(True, "a", None, ()), COMPARISON)
    with pytest.raises(RunFailed), undecidable_if_it_fails(tracking, candidate):
        raise RunFailed("compare: the run failed: no table.")
    tags = tracking.run(candidate.run_id).data.tags
    assert (tags["gate"], tags["gate.reasons"]) == (
        "undecidable", "compare: the run failed: no table.")


def test_a_model_that_passed_is_the_challenger_and_names_its_run_and_tables(
        judged: tuple[Tracking, Candidate], tmp_path: Path) -> None:
    tracking, candidate = judged
    platform = LocalPlatform(LocalTarget("local", "a", "b", "c"), tmp_path, tracking)
    project = Project(tmp_path.name, tmp_path, {})
    made = register(platform, project, candidate, Verdict(True, candidate.uri, None, ()))
    assert made is not None and made == Registry(tracking).aliased(tmp_path.name, "challenger")
    assert made.tags == {"run": candidate.run_id, "commit": "c0ffee", "branch": "main",
                         "wheel_version": "0.1.0+gc0ffee", "table_gold_features": "4",
                         "gate": "passed", "gate_reasons": "passed"}


def test_without_a_model_there_is_nothing_to_register(store: str, tmp_path: Path) -> None:
    platform = LocalPlatform(LocalTarget("local", "a", "b", "c"), tmp_path, Tracking(store, None))
    metrics_only = Candidate("run", None, {}, {}, {})
    assert register(platform, Project("p", tmp_path, {}), metrics_only,
                    Verdict(True, "a", None, ())) is None


def test_the_page_shows_the_picture_that_is_written_beside_it(tmp_path: Path) -> None:
    write_page(tmp_path / "page.md", REFUSED)
    text = (tmp_path / "page.md").read_text()
    assert text.startswith("## Gate: refused") and "(page.png)" in text
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
    write_page(tmp_path / "alone.md", Verdict(True, "a", None, ()))
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["alone.md", "page.md", "page.png"]
