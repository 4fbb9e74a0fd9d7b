"""The central promise: a change's way to production and back, by the steps of azure-pipelines.yml.

`make story` shows it to a person: the same, with what every command says, and then a project
without a model (test_gate_pipeline.py) and a service in two clusters (deploy/test_services.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import mlflow
import pytest

from tests.ci.founding import founded
from tests.ci.team import PROJECT, Production, Team, anybody
from workspace_server import Workspace

pytestmark = pytest.mark.slow

NOT_MAIN = dict.fromkeys(
    ("sample", "baseline", "release", "judged", "deploy", "production"), "skipped")
NOT_THE_SAMPLE = ("check", "release", "deploy")  # tests/test_story_tables.py executes that
MODELS = "src/fraud_detection/model/estimators.py"
COST = "alert_cost: float = parameter(\n        {}, "


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("story")
    before = mlflow.get_tracking_uri()
    with Workspace.start(folder / "workspace", phase_seconds=0.1) as workspace, \
            pytest.MonkeyPatch.context() as patch:
        for name, value in workspace.environment("ci@example.com").items():
            patch.setenv(name, value)
        mlflow.set_tracking_uri("databricks")
        yield founded(folder, workspace, partial(print, flush=True))
    mlflow.set_tracking_uri(before)


def test_a_change_reaches_production_from_a_pull_request_and_is_rolled_back(team: Team) -> None:
    team.chapter("A pull request: its wheel runs in the branch's own experiment")
    team.push("feature/dearer-alerts", "An alert costs 12",
              ("src/fraud_detection/settings.py", COST.format("10.0"), COST.format("12.0")),
              (f"{PROJECT}/MLproject", "default: 10\n", "default: 12\n"))
    build = team.pull_request("feature/dearer-alerts", 7)
    assert build.results == {"check": "succeeded", "tests": "succeeded",
                             "integration": "succeeded", "fork": "skipped", **NOT_MAIN}
    [run] = [each for each in team.runs("/Shared/branchline", "feature/dearer-alerts")
             if each.data.tags["mlflow.project.entryPoint"] == "main"]  # the other one is diff's
    assert run.data.tags["branch"] == "feature/dearer-alerts"
    assert f"| average_precision | {run.data.metrics['average_precision']:.3f}" in \
        build.jobs["integration"].pages[0]
    assert "main has none of these tables yet" in build.jobs["integration"].pages[1]

    team.chapter("Merged: full data, gate, publish; approved: deployed, and its job tried")
    build = team.merge("feature/dearer-alerts", anybody, NOT_THE_SAMPLE)
    assert set(build.results.values()) == {"succeeded", "skipped"}
    assert [job for job, result in build.results.items() if result == "skipped"] == [
        "integration", "fork"]
    assert "passed" in build.jobs["judged"].pages[1]
    first = team.production()
    assert first == Production(frozenset({team.git("rev-parse", "main")}), "1",
                               frozenset({"fraud-scoring", "fraud-monitoring",
                                          "fraud-training-readers"}))
    assert team.shown("gold_scores") == "fraud_training_1"

    team.chapter("A bad release: the gate refuses it, and production stays what it is")
    team.push("feature/amount-alone", "A simpler model: the amount is all it needs",
              (MODELS, "list(BOOSTING_INPUTS)", '["amount"]'))
    build = team.merge("feature/amount-alone", anybody, NOT_THE_SAMPLE)
    assert (build.results["check"], build.results["release"], build.results["deploy"]) == (
        "succeeded", "failed", "skipped")
    assert "refused" in build.said("judged") and team.production() == first

    team.chapter("Somebody overrides the gate; one command takes it back")
    team.trigger("publish", "fraud-training", "--on", "staging", "--override",
                 "the campaign cannot wait")
    team.trigger("deploy", "apply", "fraud-training", "--to", "production", "--evidence",
                 team.planned()[1])
    assert team.production().commits == {team.git("rev-parse", "main")} != first.commits
    assert team.shown("gold_scores") == "fraud_training_1"
    team.trigger("deploy", "check", "fraud-training", "--to", "production")
    assert team.shown("gold_scores") == "fraud_training_2"
    team.trigger("deploy", "rollback", "fraud-training", "--to", "production")
    assert team.production() == first and team.shown("gold_scores") == "fraud_training_1"


def test_a_failed_smoke_check_is_rolled_back_by_the_pipeline(team: Team) -> None:
    before = team.production()
    evidence, checksum = team.planned("-P", "data=/Volumes/production/branchline/files/none")
    build = team.deployment(evidence, checksum)
    assert build.results["production"] == "failed"
    assert "job fraud-scoring: the project's code failed" in build.said("production")
    assert "finished" in build.said("production on failure") and team.production() == before


def test_evidence_that_was_changed_after_its_approval_is_not_deployed(team: Team) -> None:
    before = team.production()
    evidence, checksum = team.planned()
    file = evidence / "evidence.json"
    file.write_text(file.read_text().replace("staging.branchline", "dev.branchline"))
    build = team.deployment(evidence, checksum)
    assert build.results["production"] == "failed" and "was approved" in build.said("production")
    assert "nothing to do" in build.said("production on failure") and team.production() == before


def test_after_an_outage_during_a_deployment_the_workspace_is_as_before(team: Team) -> None:
    before = team.production()
    evidence, checksum = team.planned()
    team.workspace.fault("500", path="/api/2.2/jobs/reset", after=1)
    build = team.deployment(evidence, checksum)
    assert build.results["production"] == "failed" and "half done" in build.said("production")
    assert "finished" in build.said("production on failure") and team.production() == before


def test_a_forks_pull_request_never_reaches_the_workspace_and_reports_what_it_skips(
        team: Team) -> None:
    landed = team.workspace.folder / "volumes" / "dev" / "branchline" / "files" / "landed"
    team.push("patch-1", "My own data",
              (f"{PROJECT}/MLproject", "default: simulated", f"default: {landed}"))
    before = len(team.workspace.calls())
    build = team.pull_request("patch-1", 8, fork=True)
    assert build.results == {"check": "succeeded", "tests": "succeeded",
                             "integration": "skipped", "fork": "succeeded", **NOT_MAIN}
    assert "skipped are the run on Databricks" in build.jobs["fork"].issues[0]
    assert "/branchline/fraud-training/pull-8" in build.said("fork")
    assert len(team.workspace.calls()) == before
