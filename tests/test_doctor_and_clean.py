"""`doctor.py` and `clean.py` as a user calls them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mlflow
import pytest

from support.clone import clone
from support.processes import trigger
from workspace_server import Workspace


def test_doctor_lists_what_a_run_on_this_machine_needs() -> None:
    done = trigger("doctor")
    assert done.returncode == (2 if "wrong  disk" in done.stdout else 0), done.stdout
    assert [line.split()[1] for line in done.stdout.splitlines() if line[0] != " "] == [
        "Python", "packages", "Java", "Delta's", "branch", "disk"]


def test_doctor_exits_with_2_and_the_remedy_where_something_is_wrong(tmp_path: Path) -> None:
    done = trigger("doctor", JAVA_HOME=str(tmp_path), PATH=str(tmp_path), BUILD_SOURCEBRANCH="x")
    assert done.returncode == 2
    assert "wrong  Java" in done.stdout and "Run `make setup`" in done.stdout
    assert done.stderr.splitlines()[-1].endswith("would make a run on local fail.")


def test_doctor_checks_a_workspace(workspace: Workspace) -> None:
    done = trigger("doctor", "--on", "emulated", **workspace.environment())
    assert (done.returncode, done.stderr) == (0, "")
    assert "ok     sign-in            dev@example.com" in done.stdout
    assert workspace.token() not in done.stdout


@pytest.mark.parametrize(("arguments", "line"), [
    ([], "Missing option '--merged'"),
    (["--merged", "--remote", "nowhere"], "git remote nowhere: its branches cannot be listed"),
])
def test_clean_needs_merged_and_the_remotes_branches(arguments: list[str], line: str) -> None:
    done = trigger("clean", *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert line in done.stderr and len(done.stderr.splitlines()) == 1


def test_clean_lists_first_and_removes_on_yes(signed_in: Workspace, tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    signed_in.client().workspace.mkdirs("/Shared/branchline/cleaned")
    experiment = mlflow.create_experiment("/Shared/branchline/cleaned/long-gone")
    run = mlflow.MlflowClient().create_run(experiment, tags={
        "branch": "long-gone", "branch_kind": "branch", "branch_remote": "yes"})
    mlflow.MlflowClient().set_terminated(run.info.run_id)
    line = "experiment /Shared/branchline/cleaned/long-gone"
    listed = trigger("clean", "--merged", "--on", "emulated", folder=folder)
    assert listed.returncode == 0 and f"would remove  {line}" in listed.stdout
    assert listed.stdout.startswith(f"target emulated, {signed_in.host}\n")
    removed = trigger("clean", "--merged", "--on", "emulated", "--yes", folder=folder)
    assert removed.returncode == 0 and f"removing  {line}" in removed.stdout
    again = trigger("clean", "--merged", "--on", "emulated", folder=folder)
    assert line not in again.stdout


def test_clean_keeps_what_was_never_pushed_unless_it_is_marked(
        signed_in: Workspace, tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    signed_in.client().workspace.mkdirs("/Shared/branchline/cleaned")
    for name in ("never-pushed", "own", "other"):
        experiment = mlflow.create_experiment(f"/Shared/branchline/cleaned/{name}")
        run = mlflow.MlflowClient().create_run(experiment, tags={
            "branch": name, "branch_kind": "branch",
            **({"branch_remote": "yes"} if name == "other" else {})})
        mlflow.MlflowClient().set_terminated(run.info.run_id)
    subprocess.run(["git", "branch", "other"], cwd=folder, check=True)
    arguments = ("--merged", "--on", "emulated", "--yes")
    assert "/cleaned/" not in trigger("clean", *arguments, folder=folder).stdout
    refused = trigger("clean", *arguments, "--mine", "other", folder=folder)
    assert refused.returncode == 2 and "delete it first: git branch -D other" in refused.stderr
    unknown = trigger("clean", *arguments, "--mine", "none", folder=folder)
    assert unknown.returncode == 2 and "--mine none: no experiment belongs" in unknown.stderr
    marked = trigger("clean", *arguments, "--mine", "own", folder=folder)
    assert marked.returncode == 0
    assert [line for line in marked.stdout.splitlines() if "/cleaned/" in line] == [
        "removing  experiment /Shared/branchline/cleaned/own"]


@pytest.mark.parametrize("command", [
    ("clean", "--merged", "--on", "production", "--yes"),
    ("deploy", "rollback", "fraud-training", "--to", "production")])
def test_commands_that_remove_things_or_change_production_need_a_named_workspace(
        command: tuple[str, ...], tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    done = trigger(*command, folder=folder, DATABRICKS_HOST="")
    assert done.returncode == 2 and done.stdout == ""
    assert "target production: has neither host nor profile in targets.yml" in done.stderr
