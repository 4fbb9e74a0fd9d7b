"""The second project, without a model, by the steps of azure-pipelines.yml.

`make story` shows it to a person, after that of the first project, and is what executes it. Lint
and unit tests are those of that story, and left out here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml

from branchline import Lakehouse
from tests.ci.founding import TARGETS, founded
from tests.ci.team import Team, anybody, replace_in
from tests.terminal_watch.silver import fill
from workspace_server import Workspace

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.skipif(
    "BRANCHLINE_TEST_STORY" not in os.environ, reason="minutes; `make story` executes it")]

WATCH, FRAUD = "terminal-watch", "fraud-training"
SETTINGS, MLPROJECT = "src/terminal_watch/settings.py", f"mlflow-notebooks/{WATCH}/MLproject"
DEPLOY = f"mlflow-notebooks/{WATCH}/deploy.yml"
MAIN_BUILD = ("release", "deploy")
SCHEMAS = ("dev_main", "staging_main", "production_production")


@dataclass(frozen=True)
class Deployed:
    """What a project has in production: its jobs as the workspace has them, and its journal."""

    jobs: Mapping[str, object]
    journal: Mapping[str, bytes]

    @property
    def commits(self) -> set[str]:
        return {job["tags"]["commit"] for job in self.jobs.values()}  # type: ignore[index]


@pytest.fixture(scope="module")
def team(spark: Any, connect: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team whose pipeline is terminal-watch's; its runs share one Spark."""
    folder = tmp_path_factory.mktemp("two-projects")
    before = mlflow.get_tracking_uri()
    with Workspace.start(folder / "workspace", phase_seconds=0,
                         spark_remote=connect) as workspace, pytest.MonkeyPatch.context() as patch:
        for name, value in workspace.environment("ci@example.com").items():
            patch.setenv(name, value)
        mlflow.set_tracking_uri("databricks")
        yield founded(folder, workspace, partial(print, flush=True), _two_projects)
    mlflow.set_tracking_uri(before)


def _two_projects(desk: Path) -> None:
    """Silver is there already: the runs begin at terminal-watch's own steps."""
    pipeline = desk / "azure-pipelines.yml"
    replace_in(pipeline, f"project: {FRAUD}", f"project: {WATCH}")
    replace_in(pipeline, "run.py $(project)",
               "run.py $(project) -P data=simulated -P steps=watch,measure")
    replace_in(desk / DEPLOY, '"ingest,prepare,watch,measure"', '"watch,measure"')
    replace_in(desk / DEPLOY, "/Volumes/production/branchline/files/landed", "simulated")
    triggers = desk / "mlflow-triggers" / "targets.yml"
    targets = yaml.safe_load(triggers.read_text())
    for name in TARGETS:
        targets[name] |= {"compute": {"serverless": "4"}}
    triggers.write_text(yaml.safe_dump(targets))


def test_a_pull_request_begins_with_main_s_tables_and_its_page_shows_what_it_changes(
        team: Team, spark: Any) -> None:
    for schema in SCHEMAS:
        fill(Lakehouse(spark, "spark_catalog", schema))
    team.chapter("A project without a model: main's sample run leaves its tables on dev")
    team.push("feature/watch", "What we watch", (DEPLOY, "daily at six", "daily, at six"))
    assert team.merge("feature/watch", anybody, ("sample",)).results["sample"] == "succeeded"

    team.chapter("A pull request begins with them: later alerts are seen on its page")
    team.push("feature/later", "Later alerts", *threshold("8.0", "16.0"))
    build = team.pull_request("feature/later", 7, without=("tests",))
    assert build.results["integration"] == "succeeded"
    why = [run.data.tags.get("from_main.watch", "")
           for run in team.runs("/Shared/branchline", "feature/later", WATCH)]
    assert any(text.startswith("ran: ") for text in why), why
    difference = build.jobs["integration"].pages[1]
    same = r"\| silver.transactions \| ([\d,]+) \| \1 \| 0 \| 0 \| 0 \| same \|"
    assert re.search(same, difference)
    assert "### gold.watched_terminals" in difference


def test_the_pipeline_releases_and_deploys_a_project_without_a_model(team: Team) -> None:
    team.chapter("Gate, release, approval, deployment, smoke check")
    build = team.merge("feature/watch", anybody, MAIN_BUILD)
    assert (build.results["release"], build.results["deploy"]) == ("succeeded", "succeeded")
    found = deployed(team, WATCH)
    assert set(found.jobs) == {WATCH, f"{WATCH}-readers"} and found.journal
    assert found.commits == {team.git("rev-parse", "main")}


def threshold(old: str, new: str) -> tuple[tuple[str, str, str], ...]:
    return ((SETTINGS, f"        {old}, ", f"        {new}, "),
            (MLPROJECT, f"default: {float(old):g}\n", f"default: {float(new):g}\n"))


def deployed(team: Team, project: str) -> Deployed:
    """What is really there, whatever the triggers say."""
    settings = [job.settings for job in team.workspace.client().jobs.list(expand_tasks=True)
                if job.settings]
    wheels = team.workspace.folder / "volumes" / "production" / "branchline" / "wheels"
    return Deployed(
        {str(each.name): each.as_dict() for each in settings
         if str(each.name).startswith(project.partition("-")[0])},
        {file.name: file.read_bytes() for file in wheels.rglob(f"deployments/{project}/*")})
