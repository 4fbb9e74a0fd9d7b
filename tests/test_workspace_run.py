"""From a feature branch to its experiment and tables on a workspace, and what comes after."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run

from support.clone import PATH, a_persons_shell, clone
from support.forked import run_script
from workspace_server import Workspace

MLPROJECT = """
name: where
entry_points:
  main: {parameters: {table: {default: none}}, command: "python main.py {table}"}
"""
MAIN = """
import sys

import fraud_detection
import mlflow

with mlflow.start_run():
    mlflow.log_param("library", fraud_detection.__file__)
    if sys.argv[1] != "none":
        raise LookupError(f"table {sys.argv[1]}: not found")
"""
LANDED = "/Volumes/dev/branchline/files/landed"
SMALL = ["-P", f"data={LANDED}", "-P", "train_days=10"]


@dataclass
class Checkout:
    """A clone on the branch a-feature, whose triggers go to the workspace."""

    folder: Path
    workspace: Workspace

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *self._command("run", arguments)], cwd=self.folder, text=True,
            env=self._shell, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments: str) -> str:
        done = self.ended(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    def ended(self, *arguments: str, name: str = "run",
              path: str = PATH) -> subprocess.CompletedProcess[str]:
        """The finished trigger."""
        script, *words = self._command(name, arguments)
        return run_script(script, words, self.folder, {**self._shell, "PATH": path})

    @staticmethod
    def _command(name: str, arguments: tuple[str, ...]) -> list[str]:
        return [f"mlflow-triggers/{name}.py", "--on", "emulated", *arguments]

    @property
    def _shell(self) -> dict[str, str]:
        return {**a_persons_shell("DATABRICKS_"), "PATH": PATH, **self.workspace.environment()}

    def tables(self, schema: str) -> set[str]:
        found = self.workspace.client().tables.list("spark_catalog", schema)
        return {str(table.name) for table in found}


@pytest.fixture(scope="module")
def checkout(_workspace: Workspace, landing: Path,
             tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    volume = _workspace.folder / "volumes" / LANDED.removeprefix("/Volumes/")
    volume.mkdir(parents=True)
    for file in landing.iterdir():
        (volume / file.name).write_bytes(file.read_bytes())
    folder = clone(tmp_path_factory.mktemp("checkout") / "clone")
    (folder / "mlflow-notebooks" / "where").mkdir()
    (folder / "mlflow-notebooks" / "where" / "MLproject").write_text(MLPROJECT)
    (folder / "mlflow-notebooks" / "where" / "main.py").write_text(MAIN)
    return Checkout(folder, _workspace)


@pytest.fixture(scope="module")
def said(checkout: Checkout) -> str:
    """What the first run of the whole project said."""
    return checkout.run("fraud-training", *SMALL)


def newest_run(branch: str, project: str = "fraud-training") -> Run:
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(f"/Shared/branchline/{project}/{branch}")
    found: Run = client.search_runs([experiment.experiment_id])[0]
    return found


def test_the_whole_project_runs_from_the_wheel_in_the_branchs_experiment(
        checkout: Checkout, said: str, signed_in: Workspace) -> None:
    assert "average_precision" in said
    assert "running prepare" in said or "running featurize" in said  # a look may miss a quick one
    run = newest_run("a-feature")
    assert run.info.status == "FINISHED"
    assert run.data.metrics["predict/rows"] > 0
    tags = run.data.tags
    assert tags["branch"] == "a-feature" and tags["mlflow.project.backend"] == "databricks-jobs"
    assert re.fullmatch(r"0\.2\.0\+g[0-9a-f]{12}(\.d[0-9a-f]{12})?", tags["wheel_version"])
    models = mlflow.search_logged_models([run.info.experiment_id], output_format="list")
    assert mlflow.sklearn.load_model(models[0].model_uri).predict_proba  # uploaded whole


def test_the_tables_are_in_the_branchs_schema(checkout: Checkout, said: str) -> None:
    schemas = [str(schema.name) for schema in
               checkout.workspace.client().schemas.list("spark_catalog")]
    assert [name for name in schemas if name.startswith("a_feature")] == [
        next(name for name in schemas if name.startswith("a_feature__landed_"))]
    assert {"bronze_transactions", "silver_transactions", "gold_features", "gold_scores"} <= (
        checkout.tables(next(name for name in schemas if name.startswith("a_feature__landed_"))))


def test_rows_of_a_table_there_are_printed_here(
        checkout: Checkout, said: str, signed_in: Workspace) -> None:
    done = checkout.ended("fraud-training", "silver.transactions", "--rows", "2", "--where",
                          "amount > 10", name="show")
    shown = done.stdout
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert shown.split()[:2] == ["transaction_id", "event_time"]
    assert re.search(r"^2 of [0-9,]{4,} rows$", shown.splitlines()[-1])
    run = newest_run("a-feature")
    assert run.data.tags["target"] == "emulated" and run.data.params["data"] == LANDED


def test_a_second_project_takes_the_branch_s_silver_and_adds_a_table_of_its_own(
        checkout: Checkout, said: str, signed_in: Workspace) -> None:
    assert "found_share" in checkout.run("terminal-watch", "-P", f"data={LANDED}")
    run = newest_run("a-feature", "terminal-watch")
    assert run.info.status == "FINISHED"
    assert run.data.metrics["ingest/rows"] == 0 < run.data.metrics["watch/rows"]
    schema = next(str(each.name) for each in
                  checkout.workspace.client().schemas.list("spark_catalog")
                  if str(each.name).startswith("a_feature__landed_"))
    assert {"gold_watched_terminals", "gold_features"} <= checkout.tables(schema)


def test_a_second_trigger_uploads_nothing_and_needs_few_calls_until_it_is_submitted(
        checkout: Checkout, said: str, signed_in: Workspace) -> None:
    checkout.run("where")
    assert "/site-packages/" in newest_run("a-feature", "where").data.params["library"]
    before = len(checkout.workspace.calls())
    told = checkout.run("where", "--no-wait")
    paths = [(call["method"], call["path"]) for call in checkout.workspace.calls()[before:]]
    submitted = paths.index(("POST", "/api/2.2/jobs/runs/submit"))
    assert submitted < 12
    assert [path for method, path in paths[:submitted] if method == "PUT" or "import" in path] == []
    assert "--attach" in told
    assert "/ml/experiments/" in checkout.run("--attach", told.split()[-1])
    assert newest_run("a-feature", "where").info.status == "FINISHED"


def test_two_branches_at_once_do_not_meet_even_if_one_fails(
        checkout: Checkout, said: str, signed_in: Workspace) -> None:
    well = checkout.start("where", "--branch", "one")
    badly = checkout.start("where", "-P", "table=silver", "--branch", "two")
    _, complaints = badly.communicate()
    assert badly.returncode == 3
    assert "the project's code failed" in complaints and len(complaints.splitlines()) == 1
    assert "table silver: not found" in complaints
    assert newest_run("two", "where").info.status == "FAILED"
    assert well.communicate()[1] == "" and well.returncode == 0
    assert newest_run("one", "where").info.status == "FINISHED"


@pytest.mark.parametrize("number", [2, 15])
def test_ctrl_c_and_sigterm_cancel_the_remote_run(
        checkout: Checkout, number: int, workspace: Workspace, signed_in: Workspace) -> None:
    workspace.fault("never_starts")
    branch = f"stopped-{number}"
    process = checkout.start("fraud-training", *SMALL, "--branch", branch)
    assert process.stdout is not None
    while "cluster starting" not in (line := process.stdout.readline()):
        assert line or process.poll() is None
    process.send_signal(number)
    process.communicate()
    assert process.returncode == 130
    assert newest_run(branch).info.status == "KILLED"
    newest = next(iter(workspace.client().jobs.list_runs(limit=1)))
    assert newest.state and newest.state.user_cancelled_or_timedout


def test_live_sources_run_without_a_wheel(
        checkout: Checkout, said: str, signed_in: Workspace) -> None:
    before = len(checkout.workspace.calls())
    checkout.run("where", "--live")
    paths = [call["path"] for call in checkout.workspace.calls()[before:]]
    assert not [path for path in paths if "/fs/files/Volumes" in path]
    library = newest_run("a-feature", "where").data.params["library"]
    assert library.startswith("/Workspace/Shared/branchline/_files/live/a-feature-")


@pytest.mark.parametrize(("what", "line"), [
    ("columns", "run.py: columns.yml, line 2: column when is unknown; expected some of "),
    ("uv", "run.py: uv: not found in PATH or .uv/; run `make setup`.")])
def test_what_a_run_there_would_fail_for_is_told_before_anything_is_created(
        checkout: Checkout, tmp_path: Path, signed_in: Workspace, what: str, line: str) -> None:
    changed = checkout.folder / {"columns": "mlflow-notebooks/fraud-training/columns.yml",
                                 "uv": "src/fraud_detection/__init__.py"}[what]
    kept, git = changed.read_text(), shutil.which("git")
    assert git
    (tmp_path / "git").symlink_to(git)
    before = len(checkout.workspace.calls())
    changed.write_text("amount: amount\nwhen: day\n" if what == "columns" else f"{kept}# new\n")
    try:
        done = checkout.ended("fraud-training", *SMALL, "--branch", f"no-{what}",
                              path=str(tmp_path) if what == "uv" else PATH)
    finally:
        changed.write_text(kept)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith(line), done
    assert len(done.stderr.splitlines()) == 1
    assert {call["method"] for call in checkout.workspace.calls()[before:]} <= {"GET", "HEAD"}
