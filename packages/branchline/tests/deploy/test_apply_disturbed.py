"""Deployments that break off are ended or undone by the next command, and only one wins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from branchline.deploy.deployment import Deployment, State
from branchline.deploy.journal import Journal
from branchline.errors import NotApproved, Unreachable
from branchline.platforms.databricks.files import destination
from branchline.wheels.destinations import LocalFolder
from support.destinations import VOLUME
from support.processes import at_once, free_port
from support.releasing import Shop, shop_in
from workspace_server import Workspace

CREATE, RESET = "/api/2.2/jobs/create", "/api/2.2/jobs/reset"


@pytest.fixture
def shop(workspace: Workspace, store: str, tmp_path: Path) -> Iterator[Shop]:
    with shop_in("workspace", workspace, store, tmp_path) as opened:
        yield opened


def records(shop: Shop) -> str:
    return f"/api/2.0/fs/files/Volumes/dev/branchline/wheels/{shop.name}/sample/deployments"


def jobs_of(shop: Shop, server: Workspace) -> list[str]:
    names = [job.settings.name or "" for job in server.client().jobs.list() if job.settings]
    return sorted(name.removeprefix(f"{shop.name}-") for name in names
                  if name.startswith(shop.name))


@pytest.mark.parametrize(("path", "spared", "there"), [
    (CREATE, 0, []), (CREATE, 1, ["monitor"]), ("records", 1, ["monitor", "score"])])
def test_an_interrupted_first_deployment_is_finished_by_the_same_command(
        shop: Shop, workspace: Workspace, path: str, spared: int, there: list[str]) -> None:
    checksum = shop.plan(shop.release("1.0+g1"))
    method, address = ("PUT", records(shop)) if path == "records" else ("POST", path)
    workspace.fault("500", path=address, method=method, after=spared)
    with pytest.raises(Unreachable, match=f"1 is half done: run `deploy.py apply .*{checksum}"):
        shop.apply(checksum)
    assert jobs_of(shop, workspace) == there
    newest = shop.journal.newest()
    assert newest and not newest.finished and shop.journal.current().number == 0
    deployment = shop.apply(checksum)
    assert deployment.finished and deployment.number == 1
    assert jobs_of(shop, workspace) == ["monitor", "score"] and shop.state()[0]


def test_nothing_happens_if_the_claim_cannot_be_written(
        shop: Shop, workspace: Workspace) -> None:
    checksum = shop.plan(shop.release("1.0+g1"))
    workspace.fault("500", path=records(shop), method="PUT")
    with pytest.raises(Unreachable):
        shop.apply(checksum)
    assert shop.journal.newest() is None and jobs_of(shop, workspace) == []


@pytest.mark.parametrize("spared", [0, 1])
def test_an_interrupted_later_deployment_is_finished_or_undone(
        shop: Shop, workspace: Workspace, spared: int) -> None:
    shop.deploy("1.0+g1")
    before = shop.state()
    checksum = shop.plan(shop.release("1.0+g2"))
    workspace.fault("500", path=RESET, after=spared)
    with pytest.raises(Unreachable):
        shop.apply(checksum)
    undone = shop.rollback()
    assert (undone.number, undone.restores) == (3, 1) and shop.state() == before
    with pytest.raises(NotApproved, match="now it is 3; plan again"):
        shop.apply(checksum)
    assert "1.0+g2" in str(shop.deploy("1.0+g2").state) and shop.state() != before


def test_an_alias_that_could_not_be_moved_is_moved_by_the_same_command(
        shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.deploy("1.0+g1")
    checksum = shop.plan(shop.release("1.0+g2"))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_registry_uri(f"http://127.0.0.1:{free_port()}")
    try:
        with pytest.raises(Unreachable, match="alias champion"):
            shop.apply(checksum)
    finally:
        mlflow.set_registry_uri("")
    champion, jobs = shop.state()
    assert champion and champion.version == "1" and "1.0+g2" in str(jobs)
    assert shop.apply(checksum).finished
    moved = shop.state()[0]
    assert moved and moved.version == "2"


def test_an_interrupted_rollback_is_finished_by_rollback(
        shop: Shop, workspace: Workspace) -> None:
    shop.deploy("1.0+g1")
    before = shop.state()
    shop.deploy("1.0+g2")
    workspace.fault("500", path=RESET, after=1)
    with pytest.raises(Unreachable, match="run `deploy.py rollback greeting` again"):
        shop.rollback()
    assert shop.state() != before
    assert shop.rollback().number == 3 and shop.state() == before


def test_another_plan_is_refused_while_a_deployment_is_half_done(
        shop: Shop, workspace: Workspace) -> None:
    half = shop.plan(shop.release("1.0+g1"))
    workspace.fault("500", path=CREATE)
    with pytest.raises(Unreachable):
        shop.apply(half)
    other = shop.plan(shop.release("1.0+g2"))
    with pytest.raises(NotApproved,
                       match=f"finish it with `deploy.py apply greeting --evidence {half}`"):
        shop.apply(other)
    assert jobs_of(shop, workspace) == []


def test_a_creation_whose_answer_is_lost_leaves_one_job_of_the_name(
        shop: Shop, workspace: Workspace) -> None:
    checksum = shop.plan(shop.release("1.0+g1"))
    workspace.fault("cut_after", path=CREATE)
    shop.apply(checksum)
    assert jobs_of(shop, workspace) == ["monitor", "score"]


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_claim_whose_answer_is_lost_is_recognised_as_ours(
        shop: Shop, workspace: Workspace, kind: str) -> None:
    checksum = shop.plan(shop.release("1.0+g1"))
    workspace.fault(kind, path=records(shop), method="PUT")
    assert shop.apply(checksum).finished


def test_a_deployment_stops_once_a_later_one_has_started(tmp_path: Path) -> None:
    journal = Journal("sample", "greeting", LocalFolder(tmp_path))
    first = journal.begin(Deployment(1, State(), "evidence", None, "ci"))
    journal.require_newest(first)
    journal.begin(Deployment(2, State(), None, 0, "somebody"))
    with pytest.raises(NotApproved, match="deployment 2 has started meanwhile"):
        journal.require_newest(first)


BEGINNER = """
import sys
from databricks.sdk import WorkspaceClient
from branchline.platforms.databricks.files import destination
from branchline.deploy.deployment import Deployment, State
from branchline.deploy.journal import Journal
from branchline.errors import NotApproved
journal = Journal("sample", "greeting", destination(sys.argv[1], WorkspaceClient()))
print("ready", flush=True)
sys.stdin.readline()
try:
    journal.begin(Deployment(1, State(sys.argv[2]), "evidence", None, "ci"))
    print("began " + sys.argv[2])
except NotApproved as problem:
    print(problem)
"""


@pytest.mark.parametrize("kind", ["local", f"{VOLUME}/begun"])
def test_if_two_processes_start_a_deployment_one_wins_and_the_other_is_refused(
        workspace: Workspace, tmp_path: Path, kind: str) -> None:
    address = str(tmp_path) if kind == "local" else kind
    said = sorted(text.strip() for text, _ in at_once(
        BEGINNER, (address, "1.0+g1"), (address, "1.0+g2"), variables=workspace.environment()))
    newest = Journal("sample", "greeting", destination(address, workspace.client())).newest()
    assert newest and said[0] == f"began {newest.state.version}"
    assert "started just before this one, which has changed nothing" in said[1]
