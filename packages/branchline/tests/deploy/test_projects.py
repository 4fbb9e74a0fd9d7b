"""Several projects of one distribution: releases and journals apart, wheels shared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from branchline.deploy import release_files
from branchline.deploy.deployment import Deployment, State
from branchline.deploy.journal import Journal, deployed_versions
from branchline.deploy.release import GateResult, Origin, Release
from branchline.records import encoded
from branchline.wheels.destinations import Destination, LocalFolder
from branchline.wheels.publish import publish
from support.destinations import wheel
from support.releasing import shop_in
from workspace_server import Workspace

WATCHING = """name: watching
entry_points:
  main:
    parameters: {who: {default: world}}
    command: python main.py {who}
"""
PASSED = GateResult("passed", "passed")
OLD = {"number": 1, "state": {
    "version": "0.9", "commit": "c", "wheel": None, "model": None, "jobs": {},
    "copy": "/Workspace/files/greeting/0123456789abcdef"},
    "evidence": None, "restores": None, "by": "ci", "at": "2026-01-01", "claim": "a"}


def released(destination: Destination, folder: Path, project: str) -> Release:
    artifacts = publish([wheel(folder)], destination).artifacts
    return release_files.write(artifacts, Origin(project, "c" * 40, "main", "ci"), PASSED, None,
                               destination)


def test_a_version_is_released_for_each_project(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path / "wheels")
    one = released(destination, tmp_path, "greeting")
    assert release_files.look_up("sample", "watching", "1.0+g1", destination) is None
    other = released(destination, tmp_path, "watching")
    assert release_files.newest("sample", "greeting", "main", destination) == one
    assert release_files.newest("sample", "watching", "main", destination) == other
    assert one.artifacts == other.artifacts


def test_a_deployment_of_one_project_is_not_in_another_projects_journal(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path)
    one, other = (Journal("sample", name, destination) for name in ("greeting", "watching"))
    deployment = one.begin(Deployment(1, State(version="1.0"), None, None, "ci"))
    one.finish(deployment)
    assert other.newest() is None and other.current().number == 0
    other.begin(Deployment(1, State(version="2.0"), None, None, "ci"))
    assert one.current() == one.newest() and one.current().state.version == "1.0"
    assert deployed_versions("sample", destination) == {"1.0", "2.0"}


def test_an_old_journal_without_projects_continues_for_its_project(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path)
    destination.create("sample/deployments/000001.json", encoded(OLD))
    destination.create("sample/deployments/000001.finished.json", encoded({"at": "2026-01-01"}))
    own = Journal("sample", "greeting", destination)
    assert own.current().number == 1 and own.current().finished
    own.begin(Deployment(2, State(version="1.0"), None, None, "ci"))
    assert [each.number for each in own.all()] == [1, 2]
    assert Journal("sample", "watching", destination).newest() is None
    assert deployed_versions("sample", destination) == {"0.9", "1.0"}


@pytest.mark.parametrize("kind", ["local", "workspace"])
def test_deployments_and_rollbacks_of_one_project_leave_the_other_as_it_is(
        kind: str, workspace: Workspace, store: str, tmp_path: Path) -> None:
    with shop_in(kind, workspace, store, tmp_path) as greeting:
        folder = greeting.root / "mlflow-notebooks" / "watching"
        folder.mkdir()
        (folder / "MLproject").write_text(WATCHING)
        watching = replace(greeting, name=f"{greeting.name}-w", said=[], of="watching")

        def deploy(version: str) -> None:
            watching.apply(watching.plan(watching.release(version, with_model=False)))

        greeting.deploy("1.0+g1")
        before = greeting.state(), greeting.journal.all()
        deploy("1.0+g2")
        deploy("1.0+g3")
        watching.rollback()
        assert (greeting.state(), greeting.journal.all()) == before
        other = watching.state(), watching.journal.all()
        assert [each.state.version for each in other[1]] == ["1.0+g2", "1.0+g3", "1.0+g2"]
        greeting.rollback()
        assert (watching.state(), watching.journal.all()) == other
        assert greeting.state() != before[0]
