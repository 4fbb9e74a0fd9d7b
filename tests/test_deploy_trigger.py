"""publish.py and deploy.py as CI calls them: a release's way to production, and back."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from branchline.deploy import release_files
from branchline.deploy.release import GateResult, Origin
from branchline.wheels.destinations import LocalFolder
from branchline.wheels.publish import publish
from branchline.wheels.source import source_of
from support.releasing import register
from support.workspaces import commit
from tests.releases import Repository, made
from workspace_server import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def here(store: str, tmp_path: Path) -> Repository:
    return made(tmp_path, store, MLFLOW_TRACKING_URI=store)


@pytest.fixture
def there(workspace: Workspace, store: str, tmp_path: Path) -> Iterator[Repository]:
    """To a workspace, with a project that has no model: the story deploys one that has."""
    opened = made(tmp_path, store, **workspace.environment())
    project = opened.folder / "mlflow-notebooks" / "greeting" / "MLproject"
    project.write_text(project.read_text().replace("  compare: {command: python main.py}\n", ""))
    commit(opened.folder)
    yield opened
    for job in workspace.client().jobs.list():
        workspace.client().jobs.delete(job.job_id or 0)


def test_a_release_is_published_approved_deployed_checked_and_rolled_back(here: Repository) -> None:
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


def test_a_release_has_the_digests_of_its_services_images(here: Repository) -> None:
    file = here.folder / "mlflow-notebooks" / "greeting" / "deploy.yml"
    file.write_text(file.read_text() + "services: {greeter: {image: registry.example.com/hi}}\n")
    commit(here.folder)
    assert "no clusters for local" in here.well("image", "--push")
    images = here.folder / ".local" / "images" / "images.json"
    known = json.loads(images.read_text())
    assert known["images"] == {}
    reference = f"registry.example.com/hi@sha256:{'c' * 64}"
    images.write_text(json.dumps({**known, "images": {"greeter": reference}}))
    said = here.well("publish", "--override", "urgent", "--images", str(images))
    assert f"\nimage      {reference}\n" in said
    found = release_files.newest("sample", "greeting", "main", LocalFolder(
        here.folder / ".local" / "production" / "wheels"))
    assert found and [each.kind for each in found.artifacts] == ["image", "wheel"]


def test_evidence_that_was_changed_after_its_approval_exits_with_4(here: Repository) -> None:
    here.judged("passed")
    here.well("publish")
    approved = here.planned("--out", str(here.folder / ".local" / "bundle"))
    file = here.folder / ".local" / "bundle" / "evidence.json"
    file.write_text(file.read_text().replace("world", "nobody"))
    code, said = here.run("deploy", "apply", "--evidence", approved, "--from", str(file.parent))
    assert code == 4 and "was approved" in said
    assert "nothing is deployed yet" in here.well("deploy", "status")


def released(here: Repository, *columns: str) -> None:
    """A release of the commit with a table; its wheel cannot be installed."""
    source, destination = source_of(here.folder), LocalFolder(
        here.folder / ".local" / "production" / "wheels")
    wheel = here.folder / ".local" / f"sample-{source.version}-py3-none-any.whl"
    wheel.parent.mkdir(exist_ok=True)
    wheel.write_bytes(source.version.encode())
    table = {"name": "gold.scores", "key": ["id"], "format": 1, "versioned": True,
             "columns": {name: "DOUBLE" for name in columns}}
    mlflow.set_tracking_uri(here.store)
    release_files.write(
        publish([wheel], destination).artifacts,
        Origin("greeting", source.commit or "", "main", "ci"),
        GateResult("passed", "passed", model=register("greeting")), None, destination, [table])


def test_a_breaking_change_is_planned_and_needs_an_option_to_be_applied(here: Repository) -> None:
    released(here, "id", "score")
    here.well("deploy", "apply", "--evidence", here.planned())
    commit(here.folder)
    released(here, "id")
    said = here.well("deploy", "plan")
    assert "\nbreaking   gold.scores: column score dropped (was double)\n" in said
    assert said.endswith(" --breaking\n")
    approved = here.planned()
    code, said = here.run("deploy", "apply", "--evidence", approved)
    [*_, line] = said.splitlines()
    assert code == 2 and "breaking: gold.scores: column score dropped (was double); tell" in line
    here.well("deploy", "apply", "--evidence", approved, "--breaking")
    assert "deployment 2 (apply), finished" in here.well("deploy", "status")


def test_if_two_deployments_start_at_once_one_wins_and_the_other_is_refused(
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


def test_two_deployments_of_the_same_evidence_at_once_leave_each_job_once(
        there: Repository, workspace: Workspace) -> None:
    there.well("publish", "--on", "emulated", "--override", "no gate in this test")
    approved = there.planned("--to", "emulated")
    started = [there.start("deploy", "apply", "--to", "emulated", "--evidence", approved)
               for _ in range(2)]
    codes = [there.ended(process)[0] for process in started]
    assert 0 in codes and set(codes) <= {0, 4}
    assert len(list(workspace.client().jobs.list())) == 2
    status = there.well("deploy", "status", "--to", "emulated")
    assert "deployment 1 (apply), finished" in status and "changed" not in status


def test_an_outage_during_a_deployment_exits_with_5_and_says_what_to_run(
        there: Repository, workspace: Workspace) -> None:
    there.well("publish", "--on", "emulated", "--override", "no gate in this test")
    approved = there.planned("--to", "emulated")
    workspace.fault("500", path="/api/2.2/jobs/create", after=1)
    command = ["deploy", "apply", "--to", "emulated", "--evidence", approved]
    code, said = there.run(*command)
    assert code == 5 and "is half done: run `deploy.py apply greeting --evidence" in said
    assert "finished" in there.well(*command)
    assert "works" in there.well("deploy", "check", "--to", "emulated")


@pytest.mark.parametrize(("arguments", "said"), [
    (["deploy", "promote"], "No such command 'promote'"),
    (["deploy", "apply"], "Missing option '--evidence'"),
    (["deploy", "apply", "--evidence", "0" * 64, "--from", "nowhere"], "pass its folder with"),
    (["deploy", "plan", "-P", "who"], "-P who: expected NAME=VALUE"),
    (["deploy", "plan", "--junit", "none.xml"], "none.xml: cannot be read as JUnit XML"),
    (["deploy", "plan", "--to", "mars"], "target mars is not in targets.yml"),
    (["deploy", "plan"], "has no release of main; make one with publish.py"),
    (["deploy", "rollback"], "nothing is deployed yet"),
    (["deploy", "check"], "nothing is deployed"),
    (["deploy", "clean", "--keep", "0"], "0 is not in the range x>=1"),
    (["publish", "--on", "mars"], "target mars is not in targets.yml")])
def test_what_cannot_be_used_exits_with_2(
        refusing: Repository, arguments: list[str], said: str) -> None:
    code, found = refusing.run(*arguments)
    assert code == 2 and said in found


@pytest.fixture(scope="module")
def refusing(store: str, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return made(tmp_path_factory.mktemp("refusing"), store, MLFLOW_TRACKING_URI=store)


def test_clean_of_a_production_without_table_sets_has_nothing_to_remove(
        refusing: Repository) -> None:
    assert refusing.well("deploy", "clean") == "0 to remove; --yes removes them, kept: none\n"


def test_a_version_that_is_taken_by_other_bytes_is_not_published(
        here: Repository, tmp_path: Path) -> None:
    other = tmp_path / f"sample-{source_of(here.folder).version}-py3-none-any.whl"
    other.write_bytes(b"something else")
    publish([other], LocalFolder(here.folder / ".local" / "production" / "wheels"))
    code, said = here.run("publish", "--override", "urgent")
    assert code == 2 and "a version never changes" in said


def test_two_builds_that_publish_a_commit_at_once_leave_one_release(
        there: Repository, workspace: Workspace) -> None:
    started = [there.start("publish", "--on", "emulated", "--override", reason)
               for reason in ("one", "two")]
    ended = [there.ended(process) for process in started]
    assert [code for code, _ in ended] == [0, 0]
    told = {line for _, said in ended for line in said.splitlines() if line.startswith("override")}
    assert len(told) == 1


def test_ctrl_c_cancels_the_run_that_checks(there: Repository, workspace: Workspace) -> None:
    there.well("publish", "--on", "emulated", "--override", "no gate in this test")
    there.well("deploy", "apply", "--to", "emulated", "--evidence",
               there.planned("--to", "emulated", "-P", "who=patience"))
    process = there.start("deploy", "check", "--to", "emulated")
    assert process.stdout
    while "running" not in (line := process.stdout.readline()):
        assert line or process.poll() is None
    process.send_signal(signal.SIGINT)
    assert there.ended(process)[0] == 130
    newest = next(iter(workspace.client().jobs.list_runs(limit=1)))
    assert newest.state and newest.state.user_cancelled_or_timedout


def test_in_ci_the_checksum_is_an_output_of_the_plan(here: Repository) -> None:
    here.judged("passed")
    here.well("publish")
    said = replace(here, variables={**here.variables, "TF_BUILD": "True"}).well("deploy", "plan")
    approved = hashlib.sha256((here.folder / ".local/evidence/evidence.json").read_bytes())
    assert f"variable=evidence;isOutput=true]{approved.hexdigest()}" in said.splitlines()[-1]


def test_changes_that_are_not_committed_are_not_published(here: Repository) -> None:
    (here.folder / "src" / "sample" / "__init__.py").write_text("GREETING = 'bye'\n")
    code, said = here.run("publish", "--override", "urgent")
    assert code == 2 and "has changes that are not committed" in said
