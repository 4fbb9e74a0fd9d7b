"""`gate.py` as a user calls it: what it refuses, how it ends, what it leaves in the run."""

from __future__ import annotations

import shutil
from pathlib import Path

import mlflow
import pytest

from branchline.runs.registry import Registry
from branchline.runs.tracking import Tracking
from support.clone import ROOT, clone
from support.processes import trigger
from support.tracked import finished

POLICY = """metrics:
  average_precision: {floor: 0.01, tolerance: 0.02}
sanity: {min_rows: 500}
draws: 100
"""


def tags(store: str, run_id: str) -> dict[str, str]:
    mlflow.set_tracking_uri(store)
    found: dict[str, str] = mlflow.get_run(run_id).data.tags
    return found


@pytest.mark.parametrize(("arguments", "policy", "line"), [
    (["fraud-trainig"], POLICY, "project fraud-trainig is not in mlflow-notebooks/; found "),
    (["fraud-training"], "metrics: {}\n", "gate.yml, line 1: metrics is empty; expected at least"),
    (["fraud-training"], POLICY, "has no finished run with a model; start one with run.py first."),
    (["fraud-training", "--run", "none"], POLICY, "Run with id=none not found"),
])
def test_what_cannot_be_judged_exits_with_2_and_one_line(
        store: str, tmp_path: Path, arguments: list[str], policy: str, line: str) -> None:
    (tmp_path / "gate.yml").write_text(policy)
    done = trigger("gate", *arguments, "--branch", "nothing-there", "--policy",
                   str(tmp_path / "gate.yml"), MLFLOW_TRACKING_URI=store)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert line in done.stderr and done.stdout == ""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the repository that has a project without a model, with a policy of its own."""
    root = clone(tmp_path_factory.mktemp("sample") / "clone")
    project = root / "mlflow-notebooks" / "sample-project"
    shutil.copytree(ROOT / "tests" / "sample-project", project)
    (project / "gate.yml").write_text("metrics:\n  cost: {direction: lower, floor: 9, "
                                      "tolerance: 10%}\n")
    return root


def test_a_project_without_a_model_is_judged_by_its_metrics_against_the_last_approved_main_run(
        store: str, sample: Path, tmp_path: Path) -> None:
    mlflow.set_tracking_uri(store)
    main, feature = (mlflow.create_experiment(f"/branchline/sample-project/{name}",
                                              (tmp_path / name).as_uri())
                     for name in ("main", "feature"))

    def judged(branch: str, experiment_id: str, cost: float) -> tuple[int, str, str]:
        run_id = finished(experiment_id, cost=cost)
        done = trigger("gate", "sample-project", "--branch", branch, "--summary",
                       str(tmp_path / "page.md"), folder=sample, MLFLOW_TRACKING_URI=store)
        return done.returncode, done.stderr, tags(store, run_id)["gate"]

    assert judged("main", main, 5.0) == (0, "", "passed")
    assert judged("feature", feature, 5.4) == (0, "", "passed")
    code, said, tag = judged("feature", feature, 5.6)
    assert (code, tag) == (4, "refused")
    assert "cost difference +0.6000 (+0.6000 to +0.6000), expected up by at most 0.5000" in said
    assert "| ❌ fail | cost difference |" in (tmp_path / "page.md").read_text()


@pytest.mark.spark
def test_a_model_that_passes_on_main_is_the_challenger_and_one_below_the_floor_is_refused(
        landing: Path, store: str, connect: str, tmp_path: Path) -> None:
    where = {"MLFLOW_TRACKING_URI": store, "SPARK_REMOTE": connect}
    policy, page = tmp_path / "gate.yml", tmp_path / "page.md"
    policy.write_text(POLICY)
    trained = trigger("run", "fraud-training", "--branch", "main", "-P", f"data={landing}",
                      "-P", "steps=ingest,prepare,featurize,train", "-P", "train_days=10",
                      "-P", f"lakehouse={tmp_path}", **where)
    assert trained.returncode == 0, trained.stderr
    gate = ["fraud-training", "--branch", "main", "--policy", str(policy)]
    passed = trigger("gate", *gate, **where)
    assert passed.returncode == 0, passed.stderr
    assert "verdict    passed" in passed.stdout
    registry = Registry(Tracking(store, None))
    challenger = registry.aliased("fraud-training", "challenger")
    assert challenger is not None and challenger.tags["gate"] == "passed"
    assert {"commit", "wheel_version", "table_silver_transactions"} <= challenger.tags.keys()
    registry.promote(challenger.name, challenger.version)
    policy.write_text(POLICY.replace("0.01", "1.01"))
    refused = trigger("gate", *gate, "--summary", str(page), **where)
    assert refused.returncode == 4, refused.stderr
    assert "expected at least 1.0100)." in refused.stderr.splitlines()[-1]
    assert f"champion `{challenger.uri}`" in page.read_text()
    assert challenger.run_id and tags(store, challenger.run_id)["gate"] == "refused"


@pytest.mark.spark
def test_a_comparison_that_fails_is_exit_code_3_and_the_run_is_undecidable(
        store: str, connect: str, tmp_path: Path) -> None:
    mlflow.set_tracking_uri(store)
    run_id = finished(mlflow.create_experiment(str(tmp_path), tmp_path.as_uri()), with_model=True)
    (tmp_path / "gate.yml").write_text(POLICY)
    done = trigger("gate", "fraud-training", "--branch", "broken", "--run", run_id, "--policy",
                   str(tmp_path / "gate.yml"), MLFLOW_TRACKING_URI=store, SPARK_REMOTE=connect)
    assert done.returncode == 3
    assert "step compare reads bronze.transactions" in done.stderr.splitlines()[-1]
    assert tags(store, run_id)["gate"] == "undecidable"
