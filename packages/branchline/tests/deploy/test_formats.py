"""Records that an older branchline wrote are read; those of a newer one say what to upgrade.

`samples` holds them as they were written before records had a format.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from branchline.deploy import release_files
from branchline.deploy.evidence import FORMAT, read_bundle
from branchline.deploy.evidence_page import page
from branchline.deploy.deployment import Deployment, State
from branchline.deploy.journal import Journal
from branchline.errors import BadInput
from branchline.gate.comparison import Comparison
from branchline.gate.verdict import FORMAT as VERDICT, Reason, Verdict
from branchline.records import encoded, sha256
from branchline.wheels.artifacts import Artifact
from branchline.wheels.destinations import LocalFolder

SAMPLES = Path(__file__).parent / "samples"
FOLDER = "/srv/sample/repository/.local/production/wheels/"


def the_wheel(version: str, digest: str) -> Artifact:
    path = f"sample/{version}/sample-{version}-py3-none-any.whl"
    return Artifact("wheel", "sample", version, FOLDER + path, path, digest, 19)


FIRST = the_wheel("1.0+g1", "5b87cbeca1eda026245acfb3010bd1fdbbcff72dbe97e3b39a8aad33cb9ddc71")
SECOND = the_wheel("1.0+g2", "a90aeb5c9dc2c1e20b671cdb0ec383a7442c1c57f47aac447e7b4d456829443d")


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def test_a_release_with_one_wheel_is_read_as_one_with_a_list(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path)
    destination.create("sample/1.0+g2/release.json", sample("release.json"))
    found = release_files.look_up("sample", "greeting", "1.0+g2", destination)
    assert found and found.artifacts == (SECOND,)
    assert (found.model, found.branch, found.commit) == ("models:/sample/2", "main", "c" * 40)
    assert release_files.newest("sample", "greeting", "main", destination) == found
    checksum = release_files.checksum("sample", "greeting", "1.0+g2", destination)
    assert checksum == sha256(sample("release.json"))


@pytest.mark.parametrize("is_finished", [True, False])
def test_a_deployment_with_one_wheel_is_read_as_one_with_a_list(
        tmp_path: Path, is_finished: bool) -> None:
    destination = LocalFolder(tmp_path)
    destination.create("sample/deployments/000001.json", sample("deployment.json"))
    if is_finished:
        destination.create("sample/deployments/000001.finished.json", sample("finished.json"))
    found = Journal("sample", "greeting", destination).newest()
    assert found and found.finished is is_finished and found.state.artifacts == (FIRST,)
    assert (found.state.version, found.state.model) == ("1.0+g1", "models:/sample/1")
    assert found.state.jobs.keys() == {"sample-score", "sample-monitor"}


def test_evidence_that_was_approved_before_an_upgrade_is_read_and_shown() -> None:
    found = read_bundle(SAMPLES, sha256(sample("evidence.json")), "local")
    assert State.of_record(found["state"]).artifacts == (SECOND,)
    assert found["based_on"]["release"] == sha256(sample("release.json"))
    assert SECOND.sha256 and SECOND.sha256 in page(found, None)


def test_a_deployment_and_evidence_of_format_3_are_read_as_without_services(
        tmp_path: Path) -> None:
    destination, state = LocalFolder(tmp_path), State("1.0+g1", artifacts=(FIRST,))
    Journal("sample", "greeting", destination).begin(Deployment(1, state, "e", None, "ci"))
    path = "sample/deployments/greeting/000001.json"
    written = json.loads(destination.read(path) or b"")
    del written["state"]["services"]
    destination.replace(path, encoded({**written, "format": "deployment/3"}))
    found = Journal("sample", "greeting", destination).newest()
    assert found and found.state == state and found.state.services == {}
    evidence = FORMAT.read({"format": "evidence/3", "state": written["state"]}, "evidence.json")
    assert State.of_record(evidence["state"]) == state


def test_a_comparison_and_a_verdict_are_read() -> None:
    comparison = Comparison.from_json(sample("comparison.json").decode())
    assert comparison.candidate.uri == "models:/m-2" and comparison.slices[0].rows == 100
    verdict = VERDICT.read(json.loads(sample("verdict.json")), "verdict.json")
    assert verdict["passed"] and len(verdict["reasons"]) == 2


def test_every_record_that_is_written_says_its_format(tmp_path: Path) -> None:
    journal = Journal("sample", "greeting", LocalFolder(tmp_path))
    state = State("1.0+g1", artifacts=(FIRST,))
    journal.finish(journal.begin(Deployment(1, state, "e", None, "ci")))
    written = [json.loads(file.read_text()) for file in sorted(tmp_path.rglob("*.json"))]
    comparison = Comparison.from_json(sample("comparison.json").decode())
    verdict = Verdict(True, "m", None, (Reason("rows", "pass", "1", "1"),))
    written += [json.loads(comparison.to_json()), json.loads(verdict.to_json())]
    assert [record["format"] for record in written] == [
        "finished/1", "deployment/4", "comparison/1", "verdict/1"]


@pytest.mark.parametrize(("path", "kind"), [
    ("sample/1.0+g2/release.json", "release"), ("sample/deployments/000001.json", "deployment"),
    ("sample/deployments/000001.finished.json", "finished")])
def test_a_record_of_a_newer_branchline_is_an_error_of_one_line_that_names_the_file(
        tmp_path: Path, path: str, kind: str) -> None:
    destination = LocalFolder(tmp_path)
    destination.create("sample/deployments/000001.json", sample("deployment.json"))
    destination.replace(path, encoded({"format": f"{kind}/9", "unknown": 1}))
    with pytest.raises(BadInput, match=f"{re.escape(path)}: found format {kind}/9; .*upgrade br"):
        release_files.look_up("sample", "greeting", "1.0+g2", destination)
        Journal("sample", "greeting", destination).newest()


def test_a_newer_comparison_says_what_to_upgrade() -> None:
    with pytest.raises(BadInput, match="comparison.json: found format comparison/2; .* upgrade"):
        Comparison.from_json('{"format": "comparison/2"}')
