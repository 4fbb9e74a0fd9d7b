from __future__ import annotations

from pathlib import Path

import pytest

from branchline.branch import Branch
from branchline.config.mlproject import EntryPoint, Project
from branchline.parameters import Parameter
from branchline.runs.request import Request
from branchline.runs.summary import (address, narrator, show_end, show_next, show_start,
                                     to_markdown)
from branchline.runs.tracking import Tracking

PROJECT = Project("greeting", Path("greeting"),
                  {name: EntryPoint(name, {}) for name in ("main", "greet", "part")})


def test_the_start_says_what_runs_where_and_as_which_run(
        capsys: pytest.CaptureFixture[str]) -> None:
    request = Request(Path(), PROJECT, "main", {}, Branch("pull-request", "7"), None)
    show_start(request, "local", "/branchline/greeting/pull-7", "c0ffee")
    assert capsys.readouterr().out == (
        "greeting on local, pull-request 7\nexperiment  /branchline/greeting/pull-7\n"
        "run         c0ffee\n\n")


def test_a_branchs_name_prints_neither_a_ci_command_nor_a_control_character(
        capsys: pytest.CaptureFixture[str]) -> None:
    request = Request(Path(), PROJECT, "main", {}, Branch("branch", "##vso[x]\x1b[1m\n::error::"))
    show_start(request, "local", "/x", "c0ffee")
    assert capsys.readouterr().out.splitlines()[:2] == [
        "greeting on local, branch # #vso[x]\\x1b[1m ::error::", "experiment  /x"]


def test_the_lines_of_a_traceback_are_not_ci_commands(capsys: pytest.CaptureFixture[str]) -> None:
    narrator()("Traceback\n::set-output name=a::b\n##[error]\x1b[1m")
    assert capsys.readouterr().out.splitlines() == [
        "   0:00  Traceback", "         : :set-output name=a::b", "         # #[error]\\x1b[1m"]


def test_the_next_command_offers_the_other_entry_points(
        capsys: pytest.CaptureFixture[str]) -> None:
    show_next(PROJECT, "main")
    assert capsys.readouterr().out.split()[-2:] == ["-e", "greet|part"]


def test_the_next_command_offers_no_step_that_is_run_by_hand(
        capsys: pytest.CaptureFixture[str]) -> None:
    steps = {"steps": Parameter("steps", "list", "greet,part", ("greet", "part", "repair"))}
    points = {name: EntryPoint(name, steps) for name in ("main", "greet", "part", "repair")}
    show_next(Project("greeting", Path("greeting"), points), "greet")
    assert capsys.readouterr().out.split()[-2:] == ["-e", "part"]


def test_a_project_with_one_entry_point_has_no_next_command(
        capsys: pytest.CaptureFixture[str]) -> None:
    show_next(Project("one", Path("one"), {"main": EntryPoint("main", {})}), "main")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("store", "shown"), [
    (Tracking("https://ml.example/", None), "https://ml.example/#/experiments/1/runs/a"),
    (Tracking("https://ann:secret@ml.example", None), "https://ml.example/#/experiments/1/runs/a"),
    (Tracking("databricks", None, "https://ws.example/ml"),
     "https://ws.example/ml/experiments/1/runs/a"),
], ids=["server", "password", "workspace"])
def test_a_run_s_address_is_its_server_s(store: Tracking, shown: str) -> None:
    assert address(store, "1", "a") == shown


def test_a_run_in_a_database_is_shown_where_make_ui_serves_it(tmp_path: Path) -> None:
    (tmp_path / "ui-port").write_text("5017")
    assert address(Tracking(f"sqlite:///{tmp_path}/mlflow.db", None), "1", "a") == (
        "http://127.0.0.1:5017/#/experiments/1/runs/a  (after `make ui`)")


@pytest.mark.spark
def test_the_end_shows_the_headline_metrics_and_where_the_artifacts_are(
        store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tracking = Tracking(store, tmp_path / "arti facts")
    run_id = tracking.start(tracking.experiment(str(tmp_path)), "main", {}, {})
    for name, value in (("saved", 12345.6), ("roc_auc", 0.5), ("train/rows", 7)):
        tracking.client().log_metric(run_id, name, value)
    show_end(tracking, run_id)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["saved", "12,346"] in lines and ["roc_auc", "0.5000"] in lines
    assert not any(line[:1] == ["train/rows"] for line in lines)
    assert " ".join(lines[-1]) == (
        f"artifacts {tmp_path}/arti facts{tmp_path}/{run_id}/artifacts")


@pytest.mark.spark
def test_a_ci_page_has_the_run_s_headline_metrics_and_address(store: str, tmp_path: Path) -> None:
    tracking = Tracking(store, tmp_path)
    run_id = tracking.start(tracking.experiment(str(tmp_path)), "main", {
        "project": "greeting", "branch": "feature/a", "wheel_version": "1.0+g1"}, {})
    tracking.client().log_metric(run_id, "average_precision", 0.5)
    tracking.client().log_metric(run_id, "train/rows", 7)
    tracking.end(run_id, "FINISHED")
    page = to_markdown(tracking, run_id)
    assert page.startswith("## greeting: finished\n\nBranch `feature/a`, wheel `1.0+g1`.\n")
    assert "| average_precision | 0.5000 |" in page and "train/rows" not in page
    assert f"/runs/{run_id}" in page


@pytest.mark.spark
def test_a_ci_page_shows_hostile_names_as_text(store: str, tmp_path: Path) -> None:
    tracking = Tracking(store, tmp_path)
    run_id = tracking.start(tracking.experiment(str(tmp_path)), "main", {
        "project": "<b>x", "branch": "a`b`", "wheel_version": "1.0"}, {})
    tracking.client().log_metric(run_id, "a_b -: c", 0.5)
    page = to_markdown(tracking, run_id, "##vso[x] <script> | [a](b)")
    assert page.startswith("## &lt;b&gt;x: running\n\nBranch `` a`b` ``, wheel `1.0`.\n")
    assert "**\\# \\#vso\\[x\\] &lt;script&gt; \\| \\[a\\](b)**" in page
    assert "| a_b -: c | 0.5000 |" in page


@pytest.mark.spark
def test_a_store_keeps_no_credentials_of_a_run_s_tags_and_parameters(
        store: str, tmp_path: Path) -> None:
    tracking = Tracking(store, tmp_path)
    run_id = tracking.start(
        tracking.experiment(str(tmp_path)), "main", {"started_by": "https://a:secret@ci/1"},
        {"data": "https://a:secret@host/x.csv?sig=secret"})
    run = tracking.run(run_id)
    assert run.data.params["data"] == "https://host/x.csv?sig=***"
    assert run.data.tags["started_by"] == "https://ci/1"
