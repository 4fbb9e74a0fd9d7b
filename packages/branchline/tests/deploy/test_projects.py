"""Several projects of one distribution: releases and journals apart, wheels shared."""

from __future__ import annotations

from pathlib import Path

from branchline.deploy import release
from branchline.deploy.journal import Journal, Record, State, deployed_versions
from branchline.deploy.release import GateResult
from branchline.records import encoded
from branchline.wheels.destinations import Destination, LocalFolder
from branchline.wheels.publish import publish
from branchline.wheels.source import Source
from support.destinations import wheel

PASSED = GateResult("passed", "passed")
OLD = {"number": 1, "state": {
    "version": "0.9", "commit": "c", "wheel": None, "model": None, "jobs": {},
    "copy": "/Workspace/files/greeting/0123456789abcdef"},
    "evidence": None, "restores": None, "by": "ci", "at": "2026-01-01", "claim": "a"}


def released(destination: Destination, folder: Path, project: str) -> release.Release:
    artifacts = publish([wheel(folder)], destination).artifacts
    return release.record(artifacts, project, Source("1.0+g1", "c" * 40, None), "main", PASSED,
                          None, "ci", destination)


def test_a_version_is_released_for_each_project(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path / "wheels")
    one = released(destination, tmp_path, "greeting")
    assert release.look_up("sample", "watching", "1.0+g1", destination) is None
    other = released(destination, tmp_path, "watching")
    assert release.newest("sample", "greeting", "main", destination) == one
    assert release.newest("sample", "watching", "main", destination) == other
    assert one.artifacts == other.artifacts


def test_a_deployment_of_one_project_is_none_of_the_others(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path)
    one, other = (Journal("sample", name, destination) for name in ("greeting", "watching"))
    record = one.begin(Record(1, State(version="1.0"), None, None, "ci"))
    one.finish(record)
    assert other.newest() is None and other.in_place().number == 0
    other.begin(Record(1, State(version="2.0"), None, None, "ci"))
    assert one.in_place() == one.newest() and one.in_place().state.version == "1.0"
    assert deployed_versions("sample", destination) == {"1.0", "2.0"}


def test_a_journal_of_a_repository_of_one_project_goes_on_as_that_projects(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path)
    destination.create("sample/deployments/000001.json", encoded(OLD))
    destination.create("sample/deployments/000001.finished.json", encoded({"at": "2026-01-01"}))
    own = Journal("sample", "greeting", destination)
    assert own.in_place().number == 1 and own.in_place().finished
    own.begin(Record(2, State(version="1.0"), None, None, "ci"))
    assert [record.number for record in own.all()] == [1, 2]
    assert Journal("sample", "watching", destination).newest() is None
    assert deployed_versions("sample", destination) == {"0.9", "1.0"}
