"""What the gate says where there is nothing to replay, or what is deployed no longer runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import mlflow
import pyarrow as pa
import pytest

from branchline.branch import MAIN
from branchline.config.gate_policy import MetricRule, Policy, Replay, Tolerance
from branchline.config.mlproject import Project
from branchline.config.targets import LocalTarget
from branchline.errors import BadInput
from branchline.gate.candidates import Candidate, find_candidate
from branchline.gate.decide import decide
from branchline.gate.outcomes import Kpi, Outcomes
from branchline.gate.replay import Deployed, replayed
from branchline.gate.run import Comparing
from branchline.platforms.local.platform import LocalPlatform
from branchline.platforms.project_files import files_of, upload
from branchline.wheels.artifacts import Artifact
from branchline.wheels.destinations import LocalFolder
from support.destinations import wheel
from support.releasing import repository
from support.tracked import experiment, finished

POLICY = Policy((MetricRule("share", floor=0.4, tolerance=Tolerance(0.1)),),
                replay=Replay("main", "main"))
ROWS = pa.table({"shop": ["a", "b"], "day": [1, 2], "sold": [2.0, 0.0], "asked": [3.0, 1.0]})
OUTCOMES = Outcomes(ROWS, ("shop", "day"), {"share": Kpi("sold", "asked")},
                    {"silver.sales": "main@3"})


@pytest.fixture
def judging(store: str, tmp_path: Path) -> tuple[Comparing, Candidate]:
    """A repository with a project, and its candidate: a finished run with outcomes."""
    root = repository(tmp_path / "repository")
    tracking, experiment_id = experiment(store, tmp_path)
    run_id = finished(experiment_id, share=0.5)
    with mlflow.start_run(run_id):
        OUTCOMES.log()
    platform = LocalPlatform(LocalTarget("local", store, "tables", "/branchline"), root, tracking)
    project = Project.read(root / "mlflow-notebooks" / "greeting")
    return (Comparing(root, platform, project, MAIN, {}),
            find_candidate(tracking, experiment_id, run_id, with_model=False))


def deployment(at: Comparing, folder: Path, wheels: tuple[Artifact, ...] = ()) -> Deployed:
    kept = LocalFolder(folder / "kept")
    copy = upload(files_of(at.project.folder), at.project.name, kept)
    return Deployed("deployment 1, version 1.0", wheels, kept, LocalFolder(Path(copy)))


def test_without_a_deployment_the_floors_decide(judging: tuple[Comparing, Candidate]) -> None:
    found = replayed(*judging, None, POLICY)
    assert found.champion is None and found.notes["inputs"] == {"silver.sales": "main@3"}
    assert decide(POLICY, found, datetime.now(timezone.utc)).passed


def test_a_candidate_that_measured_nothing_cannot_be_judged(
        judging: tuple[Comparing, Candidate], store: str, tmp_path: Path) -> None:
    at, candidate = judging
    other = finished(at.platform.tracking.run(candidate.run_id).info.experiment_id)
    with pytest.raises(BadInput, match="has no gate/outcomes.parquet; expected a run of greeting"):
        replayed(at, replace(candidate, run_id=other), None, POLICY)


def test_the_policy_decides_about_a_deployed_version_that_no_longer_runs(
        judging: tuple[Comparing, Candidate], tmp_path: Path) -> None:
    at, _ = judging
    gone = Artifact("wheel", "sample", "1.0", "/kept/sample.whl", wheel(tmp_path).name, "0" * 64, 5)
    for made, problem in ((deployment(at, tmp_path), "its entry point main has no parameter pins"),
                          (deployment(at, tmp_path, (gone,)), "/kept/sample.whl: is missing")):
        found = replayed(*judging, made, POLICY)
        assert found.champion and problem in str(found.champion.problem)
        verdict = decide(POLICY, found, datetime.now(timezone.utc))
        assert not verdict.passed and problem in verdict.line
        floors = replace(POLICY, broken_champion="floors")
        assert decide(floors, found, datetime.now(timezone.utc)).passed
