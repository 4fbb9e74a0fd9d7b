from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from branchline.errors import AlreadyPublished, BadInput
from branchline.platforms.databricks.files import Volume
from branchline.wheels.artifacts import Artifact
from branchline.wheels.destinations import Destination, LocalFolder
from branchline.wheels.publish import publish
from branchline.wheels.published import Published, look_up, published, remove, unused, verified
from support.destinations import FILE, VOLUME, called, put, wheel
from workspace_server import Workspace

PATH = f"sample/1.0+g1/{FILE}"


def test_a_published_wheel_is_found_by_its_version(
        destination: Destination, tmp_path: Path) -> None:
    made = put(wheel(tmp_path), destination)
    found = look_up("sample", "1.0+g1", destination)
    assert found is not None and found.uploaded is not None
    [artifact] = found.artifacts
    assert artifact == made
    assert (found.version, artifact.reference, artifact.sha256, artifact.size) == (
        made.version, destination.reference(PATH), hashlib.sha256(b"the wheel").hexdigest(), 9)
    assert (made.path, made.reference, made.sha256) == (PATH, artifact.reference, artifact.sha256)
    assert verified(found.artifacts[-1], destination) == b"the wheel"


def test_an_unpublished_version_is_not_found(destination: Destination, tmp_path: Path) -> None:
    assert look_up("sample", "1.0+g1", destination) is None
    assert published("sample", destination) == []
    put(wheel(tmp_path), destination)
    assert look_up("sample", "1.0+g2", destination) is None
    assert published("other", destination) == []


def test_the_same_bytes_again_change_nothing(destination: Destination, tmp_path: Path) -> None:
    first = put(wheel(tmp_path), destination)
    before = destination.listing("sample/1.0+g1")
    assert put(wheel(tmp_path), destination) == first
    assert destination.listing("sample/1.0+g1") == before


def test_other_bytes_of_a_version_are_refused_with_both_checksums(
        destination: Destination, tmp_path: Path) -> None:
    put(wheel(tmp_path), destination)
    theirs, ours = (hashlib.sha256(text).hexdigest()[:12] for text in (b"the wheel", b"another"))
    with pytest.raises(AlreadyPublished, match=f"{theirs}.*{ours}.*commit a change") as refused:
        put(wheel(tmp_path, b"another"), destination)
    assert "\n" not in str(refused.value) and destination.read(PATH) == b"the wheel"


def test_looking_up_is_two_calls_and_no_download(destination: Destination, workspace: Workspace,
                                                 tmp_path: Path) -> None:
    put(wheel(tmp_path), destination)
    calls = called(workspace, lambda: look_up("sample", "1.0+g1", destination))
    assert len(calls) == (0 if isinstance(destination, LocalFolder) else 2)
    assert not [call for call in calls if call["path"].endswith(".whl")]


def test_published_wheels_are_listed_the_newest_first(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path / "wheels")
    for age, version in enumerate(["1.0+gb", "1.0+gc", "1.0+ga"]):
        made = put(wheel(tmp_path, version=version), destination)
        os.utime(made.reference, (10**9 - age, 10**9 - age))
    assert [found.version for found in published("sample", destination)] == [
        "1.0+gb", "1.0+gc", "1.0+ga"]


def some(*versions: str) -> list[Published]:
    return [Published("sample", each, (Artifact("wheel", "sample", each, f"/wheels/{each}"),))
            for each in versions]


@pytest.mark.parametrize(("keep", "used", "removed"), [
    (2, [], "c d"), (4, [], ""), (9, [], ""), (1, ["c"], "b d"), (1, ["/wheels/d", "b"], "c"),
    (1, ["a"], "b c d"), (2, ["unknown"], "c d")])
def test_the_newest_and_the_used_wheels_are_kept(keep: int, used: list[str], removed: str) -> None:
    found = unused(some("a", "b", "c", "d"), keep, used)
    assert [each.version for each in found] == removed.split()


def test_the_newest_wheel_is_never_removed() -> None:
    with pytest.raises(BadInput, match="keep: found 0, expected at least 1"):
        unused(some("a"), 0, [])


def test_a_removed_wheel_leaves_nothing_and_may_be_published_again(
        destination: Destination, tmp_path: Path) -> None:
    remove(publish([wheel(tmp_path)], destination), destination)
    assert destination.listing("sample") == []
    put(wheel(tmp_path, b"another"), destination)
    assert destination.read(PATH) == b"another"


def test_changed_or_removed_bytes_fail_verification(
        destination: Destination, tmp_path: Path) -> None:
    made = put(wheel(tmp_path), destination)
    destination.replace(PATH, b"same size")
    with pytest.raises(BadInput, match="was changed after it was published"):
        verified(made, destination)
    destination.delete(PATH)
    with pytest.raises(BadInput, match="is missing; publish it again"):
        verified(made, destination)


def test_a_checksum_file_with_something_else_in_it_is_bad_input(
        destination: Destination, tmp_path: Path) -> None:
    put(wheel(tmp_path), destination)
    destination.replace(f"{PATH}.sha256", b"\xff oops")
    with pytest.raises(BadInput, match="expected a checksum and a size"):
        look_up("sample", "1.0+g1", destination)
    with pytest.raises(BadInput, match="expected a checksum and a size"):
        put(wheel(tmp_path), destination)


def test_a_file_named_like_the_version_s_folder_is_bad_input(
        workspace: Workspace, tmp_path: Path) -> None:
    destination = Volume(workspace.client(), f"{VOLUME}/in-the-way")
    destination.create("sample/1.0+g1", b"")
    with pytest.raises(BadInput, match=re.escape(f"{PATH}.sha256: can be neither created nor")):
        put(wheel(tmp_path), destination)


def several(folder: Path, version: str = "1.0+g1") -> list[Path]:
    """The wheels of a version in installation order, the repository's own last."""
    files = [folder / f"{name}-{version}-py3-none-any.whl"
             for name in ("branchline", "a", "sample")]
    for file in files:
        file.write_bytes(f"the wheel {file.name}".encode())
    return files


def test_all_wheels_of_a_version_are_in_one_folder_in_installation_order(
        destination: Destination, tmp_path: Path) -> None:
    made = publish(several(tmp_path), destination)
    assert [artifact.name for artifact in made.artifacts] == ["branchline", "a", "sample"]
    assert all(str(artifact.path).startswith("sample/1.0+g1/") for artifact in made.artifacts)
    found = look_up("sample", "1.0+g1", destination)
    assert found and found.artifacts == made.artifacts
    remove(found, destination)
    assert destination.listing("sample") == []


def test_without_the_repository_s_own_wheel_a_version_is_not_published(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path / "wheels")
    *others, own = publish(several(tmp_path), destination).artifacts
    destination.delete(str(own.path))
    assert look_up("sample", "1.0+g1", destination) is None
    assert published("sample", destination) == []
    assert len(publish(several(tmp_path), destination).artifacts) == 3


def test_a_version_stays_while_a_job_names_one_of_its_wheels(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path / "wheels")
    versions = [publish(several(tmp_path, version), destination)
                for version in ("1.0+g1", "1.0+g2")]
    assert unused(versions, 1, []) == versions[1:]
    assert unused(versions, 1, [versions[1].artifacts[0].reference]) == []


def test_a_checksum_of_an_older_branchline_is_read(
        destination: Destination, tmp_path: Path) -> None:
    content = b"the wheel"
    destination.create(f"{PATH}.sha256", f"{hashlib.sha256(content).hexdigest()}  9\n".encode())
    destination.create(PATH, content)
    found = look_up("sample", "1.0+g1", destination)
    assert found and verified(found.artifacts[0], destination) == content
    assert put(wheel(tmp_path), destination) == found.artifacts[0]


def test_a_checksum_of_a_newer_branchline_says_what_to_upgrade(tmp_path: Path) -> None:
    destination = LocalFolder(tmp_path)
    destination.replace(PATH, b"")
    destination.replace(f"{PATH}.sha256", b'{"format": "checksum/3"}')
    with pytest.raises(BadInput, match="checksum/3; this branchline reads up to checksum/2: upgr"):
        look_up("sample", "1.0+g1", destination)
