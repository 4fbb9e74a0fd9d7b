from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from branchline.deploy import release_files
from branchline.deploy.release import GateResult, Origin, Release, clean_source, require_passed
from branchline.errors import BadInput, GateRefused
from branchline.wheels.destinations import Destination, LocalFolder
from branchline.wheels.publish import publish
from branchline.wheels.published import published
from support.destinations import wheel
from support.releasing import repository
from support.workspaces import commit

PASSED = GateResult("passed", "passed", "run-1", "models:/m/1", {"silver": "3"}, {"a": 1}, b"png")
ORIGIN = Origin("greeting", "c" * 40, "main", "ci")


def released(destination: Destination, folder: Path, version: str = "1.0+g1",
             origin: Origin = ORIGIN, gate_result: GateResult = PASSED,
             override: str | None = None) -> Release:
    made = publish([wheel(folder, version=version)], destination).artifacts
    return release_files.write(made, origin, gate_result, override, destination)


def test_a_release_is_found_again_as_it_was_recorded(
        destination: Destination, tmp_path: Path) -> None:
    made = released(destination, tmp_path)
    found = release_files.look_up("sample", "greeting", "1.0+g1", destination)
    assert found == made and found.as_record() == made.as_record()
    assert (found.model, found.gate["tables"], found.branch) == (
        "models:/m/1", {"silver": "3"}, "main")
    [artifact] = found.artifacts
    assert artifact.reference == destination.reference(str(artifact.path))
    assert release_files.picture_of(found, destination) == b"png"


def test_a_wheel_that_was_only_published_is_not_a_release(
        destination: Destination, tmp_path: Path) -> None:
    publish([wheel(tmp_path)], destination)
    assert release_files.look_up("sample", "greeting", "1.0+g1", destination) is None
    assert release_files.newest("sample", "greeting", "main", destination) is None


def test_a_second_release_of_a_version_keeps_the_first(
        destination: Destination, tmp_path: Path) -> None:
    first = released(destination, tmp_path, origin=replace(ORIGIN, by="the first build"))
    assert released(destination, tmp_path, origin=replace(ORIGIN, by="the second build")) == first
    assert release_files.look_up("sample", "greeting", "1.0+g1", destination) == first


def test_the_releases_of_all_versions_read_as_one_table(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path / "wheels")
    for version in ("1.0+g1", "1.0+g2"):
        released(destination, tmp_path, version)
    files = destination.top.glob("sample/*/*.release.json")
    rows = [json.loads(file.read_text()) for file in files]
    assert sorted(row["version"] for row in rows) == ["1.0+g1", "1.0+g2"]
    assert len(published("sample", destination)) == 2  # the entries are not taken for wheels


def test_the_newest_release_of_main_is_not_that_of_another_branch(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path / "wheels")
    for version, branch in (("1.0+g1", "main"), ("1.0+g2", "main"), ("1.0+g3", "a-feature")):
        released(destination, tmp_path, version, replace(ORIGIN, branch=branch))
    found = release_files.newest("sample", "greeting", "main", destination)
    assert found and found.version == "1.0+g2"


@pytest.mark.parametrize("outcome", ["refused", "undecidable", "none"])
def test_releasing_without_a_passed_gate_needs_a_reason(outcome: str) -> None:
    gate_result = GateResult(outcome, "precision .1, expected .3")
    for reason in (None, "", "  "):
        with pytest.raises(GateRefused, match=f"{outcome}: precision .1, .* --override REASON"):
            require_passed(gate_result, "c" * 40, reason)
    require_passed(gate_result, "c" * 40, "agreed with the business")
    require_passed(PASSED, "c" * 40, None)


def test_the_reason_is_recorded_only_where_it_was_needed(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path / "wheels")
    refused = released(destination, tmp_path, gate_result=GateResult("refused", "no"),
                       override="agreed")
    passed = released(destination, tmp_path, "1.0+g2", override="to be safe")
    assert (refused.override, passed.override) == ("agreed", None)


def test_only_a_clean_checkout_is_released(tmp_path: Path) -> None:
    root = repository(tmp_path / "repository")
    assert clean_source(root).commit
    (root / "src" / "sample" / "more.py").write_text("")
    with pytest.raises(BadInput, match="has changes that are not committed"):
        clean_source(root)
    assert commit(root) == clean_source(root).commit


def test_a_file_that_is_not_a_release_is_refused(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path)
    for content, said in ((b"{}", "expected artifacts, at, branch"),
                          (b"[", "is not a JSON object")):
        destination.replace("sample/1.0/release.json", content)
        with pytest.raises(BadInput, match=said):
            release_files.look_up("sample", "greeting", "1.0", destination)
