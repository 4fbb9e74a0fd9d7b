"""publish.py and deploy.py as CI calls them, in a small repository of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest

from branchline.registry import Registry
from branchline.source import source_of
from branchline.tracking import Tracking
from tests.branchline.releasing import CLUSTER, commit, register, repository
from tests.clone import OURS, ROOT
from tests.processes import kill
from tests.workspace import Workspace

DEPLOY = """project: greeting
jobs:
  {name}-score: {{schedule: {{quartz: "0 0 5 * * ?"}}, check: true}}
  {name}-monitor: {{}}
"""
TARGETS = f"""local: {{tracking_uri: "sqlite:///.local/mlflow.db", lakehouse: .local/lakehouse,
        experiment_root: /branchline}}
emulated:
  experiment_root: /Shared/branchline
  catalog: spark_catalog
  volume: /Volumes/dev/branchline/files
  wheels: dbfs:/Volumes/dev/branchline/wheels/{{name}}
  compute: {{existing_cluster_id: {CLUSTER}}}
"""


@dataclass
class Repository:
    """The triggers in a repository on main, the MLflow database that they are told to use."""

    folder: Path
    store: str
    variables: dict[str, str]

    def start(self, trigger: str, *arguments: str) -> subprocess.Popen[str]:
        clean = {name: text for name, text in os.environ.items()
                 if not name.startswith((*OURS, "DATABRICKS_"))}
        path = f"{clean['PATH']}{os.pathsep}{ROOT / '.uv' / 'bin'}"
        return subprocess.Popen(
            [sys.executable, f"mlflow-triggers/{trigger}.py", *arguments], cwd=self.folder,
            env={**clean, "PATH": path, **self.variables}, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True)

    def ended(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Exit code, and what was said, with the trigger's own one line at the end."""
        try:
            said, complaint = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            kill(process)
            raise
        assert "mlflow-triggers" not in complaint, complaint  # as in a traceback
        return process.returncode, said + complaint

    def run(self, trigger: str, *arguments: str) -> tuple[int, str]:
        return self.ended(self.start(trigger, *arguments))

    def well(self, trigger: str, *arguments: str) -> str:
        code, said = self.run(trigger, *arguments)
        assert code == 0, said
        return said

    def planned(self, *arguments: str) -> str:
        found = re.search(r"--evidence ([0-9a-f]{64})", self.well("deploy", "plan", *arguments))
        assert found
        return found[1]

    def judged(self, outcome: str) -> None:
        """A judged run of main on the commit, and its model in the registry if it passed."""
        source = source_of(self.folder)
        mlflow.set_tracking_uri(self.store)
        mlflow.set_experiment("/branchline/greeting/main")
        with mlflow.start_run(tags={
                "commit": source.commit or "", "wheel_version": source.version, "gate": outcome,
                "gate.reasons": f"{outcome} (as the test wants it)"}) as run:
            mlflow.log_text('{"candidate": "m", "champion": null, "reasons": []}',
                            "gate/verdict.json")
        if outcome == "passed":
            register("greeting", run.info.run_id)


def made(folder: Path, store: str, **variables: str) -> Repository:
    name = f"{folder.parent.name}-{folder.name}".replace("_", "-")[-60:]
    triggers = folder / "repository" / "mlflow-triggers"
    triggers.mkdir(parents=True)
    for file in ("publish.py", "deploy.py"):
        shutil.copy(ROOT / "mlflow-triggers" / file, triggers)
    (triggers / "targets.yml").write_text(TARGETS.replace("{name}", name))
    repository(folder / "repository", DEPLOY.format(name=name))
    return Repository(folder / "repository", store, variables)


@pytest.fixture
def here(store: str, tmp_path: Path) -> Repository:
    return made(tmp_path, store, MLFLOW_TRACKING_URI=store)


@pytest.fixture
def there(workspace: Workspace, store: str, tmp_path: Path) -> Iterator[Repository]:
    """To a workspace; the registry is a database, since Unity Catalog's is not emulated."""
    opened = made(tmp_path, store, MLFLOW_REGISTRY_URI=store, **workspace.environment())
    mlflow.set_tracking_uri(store)
    name, _, version = register("dev.branchline.greeting").removeprefix("models:/").rpartition("/")
    Registry(Tracking(store, None)).promote(name, version)
    yield opened
    for job in workspace.client().jobs.list():
        workspace.client().jobs.delete(job.job_id or 0)


@pytest.mark.spark  # without Spark, but as slow
def test_a_release_is_published_approved_deployed_checked_and_taken_back(here: Repository) -> None:
    code, said = here.run("publish")
    assert code == 4 and "the gate's verdict is none" in said
    here.judged("passed")
    assert "models:/greeting/" in here.well("publish")
    assert "nothing to do" in here.well("publish")
    approved = here.planned()
    here.well("deploy", "apply", "--evidence", approved)
    first = here.well("deploy", "status")
    assert "hello world" in here.well("deploy", "check")
    commit(here.folder)
    here.judged("refused")
    code, said = here.run("publish")
    assert code == 4 and "refused (as the test wants it)" in said
    assert "override   urgent" in here.well("publish", "--override", "urgent")
    bad = here.planned("-P", "who=nobody")
    page = here.folder / ".local" / "evidence" / "evidence.html"
    assert "Published without a passed gate" in page.read_text() and "nobody" in page.read_text()
    here.well("deploy", "apply", "--evidence", bad)
    code, said = here.run("deploy", "check")
    assert code == 3 and "greeting: the run failed" in said
    here.well("deploy", "rollback")
    assert here.well("deploy", "status").splitlines()[1:] == first.splitlines()[1:]
    assert "hello world" in here.well("deploy", "check")


def test_evidence_that_was_changed_after_its_approval_ends_with_4(here: Repository) -> None:
    here.judged("passed")
    here.well("publish")
    approved = here.planned("--out", str(here.folder / ".local" / "bundle"))
    file = here.folder / ".local" / "bundle" / "evidence.json"
    file.write_text(file.read_text().replace("world", "nobody"))
    code, said = here.run("deploy", "apply", "--evidence", approved, "--from", str(file.parent))
    assert code == 4 and "approved was" in said
    assert "nothing is deployed yet" in here.well("deploy", "status")


def test_of_two_deployments_at_once_one_wins_and_the_other_says_so(
        there: Repository, workspace: Workspace) -> None:
    there.well("publish", "--on", "emulated", "--override", "no gate in this test")
    folders = [there.folder / ".local" / name for name in ("one", "two")]
    plans = [there.planned("--to", "emulated", "-P", f"who={folder.name}", "--out", str(folder))
             for folder in folders]
    started = [there.start("deploy", "apply", "--to", "emulated", "--evidence", checksum,
                           "--from", str(folder))
               for checksum, folder in zip(plans, folders, strict=True)]
    ended = [there.ended(process) for process in started]
    assert sorted(code for code, _ in ended) == [0, 4], ended
    jobs = [job.job_id or 0 for job in workspace.client().jobs.list()]
    assert len(jobs) == 2
    winner = folders[[code for code, _ in ended].index(0)].name
    for job in jobs:
        assert f"'{winner}'" in str(workspace.client().jobs.get(job).as_dict())
    assert "deployment 1 (apply), finished" in there.well("deploy", "status", "--to", "emulated")


def test_a_workspace_that_is_down_in_mid_deployment_ends_with_5_and_what_to_run(
        there: Repository, workspace: Workspace) -> None:
    there.well("publish", "--on", "emulated", "--override", "no gate in this test")
    approved = there.planned("--to", "emulated")
    workspace.fault("500", path="/api/2.2/jobs/create", after=1)
    command = ["deploy", "apply", "--to", "emulated", "--evidence", approved]
    code, said = there.run(*command)
    assert code == 5 and "is half done: run `deploy.py apply --evidence" in said
    assert "finished" in there.well(*command)
    assert "works" in there.well("deploy", "check", "--to", "emulated")


@pytest.mark.parametrize(("arguments", "said"), [
    (["deploy"], "Missing command"),
    (["deploy", "apply"], "Missing option '--evidence'"),
    (["deploy", "apply", "--evidence", "0" * 64, "--from", "nowhere"], "pass its folder with"),
    (["deploy", "plan", "-P", "who"], "-P who: expected NAME=VALUE"),
    (["deploy", "plan", "--junit", "none.xml"], "none.xml: cannot be read as JUnit XML"),
    (["deploy", "plan", "--to", "mars"], "target mars is not in targets.yml"),
    (["deploy", "plan"], "has no release of main; publish.py makes one"),
    (["deploy", "rollback"], "nothing was deployed yet"),
    (["deploy", "check"], "nothing is deployed"),
    (["publish", "--on", "mars"], "target mars is not in targets.yml")])
def test_what_cannot_be_used_ends_with_2(refusing: Repository, arguments: list[str],
                                         said: str) -> None:
    code, found = refusing.run(*arguments)
    assert code == 2 and said in found


@pytest.fixture(scope="module")
def refusing(store: str, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return made(tmp_path_factory.mktemp("refusing"), store, MLFLOW_TRACKING_URI=store)


def test_changes_that_are_not_committed_are_not_published(here: Repository) -> None:
    (here.folder / "src" / "sample" / "__init__.py").write_text("GREETING = 'bye'\n")
    code, said = here.run("publish", "--override", "urgent")
    assert code == 2 and "has changes that are not committed" in said


@pytest.mark.parametrize("trigger", ["publish", "deploy"])
def test_help_imports_neither_spark_nor_mlflow_nor_pandas(trigger: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", f"mlflow-triggers/{trigger}.py", "--help"], cwd=ROOT,
        capture_output=True, text=True)
    assert done.returncode == 0 and f"Usage: {trigger}.py" in done.stdout
    loaded = {line.rpartition("|")[2].strip().partition(".")[0]
              for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert not loaded & {"pyspark", "mlflow", "pandas", "sklearn", "matplotlib", "databricks"}
