"""Publishers that are killed, refused or run into each other leave one good wheel or none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from branchline.errors import AlreadyPublished, Unreachable
from branchline.platforms.databricks.files import Dbfs, Volume, destination
from branchline.wheels.destinations import Destination, LocalFolder
from branchline.wheels.published import Published, look_up, published, verified
from support.destinations import VOLUME, put, wheel
from support.processes import at_once
from workspace_server import Workspace


@dataclass(frozen=True)
class Dying(LocalFolder):
    """Whose publisher is killed at the wheel, after `written` bytes if it began at all."""

    written: int | None

    def replace(self, path: str, content: bytes) -> None:
        if self.written is not None:
            super().replace(path, content[:self.written])
        raise KeyboardInterrupt


@pytest.mark.parametrize("written", [None, 0, 4])
def test_a_killed_publisher_leaves_nothing_published_and_the_next_completes_it(
        tmp_path: Path, written: int | None) -> None:
    destination = LocalFolder(tmp_path / "wheels")
    with pytest.raises(KeyboardInterrupt):
        put(wheel(tmp_path), Dying(destination.top, written))
    assert look_up("sample", "1.0+g1", destination) is None
    assert published("sample", destination) == []
    with pytest.raises(AlreadyPublished):
        put(wheel(tmp_path, b"another"), destination)
    put(wheel(tmp_path), destination)
    found = look_up("sample", "1.0+g1", destination)
    assert found is not None and verified(found.artifacts[-1], destination) == b"the wheel"


def test_a_service_that_fails_after_the_claim_is_completed_by_the_next(
        workspace: Workspace, tmp_path: Path) -> None:
    destination = Volume(workspace.client(), f"{VOLUME}/failing")
    workspace.fault("500", path="/api/2.0/fs/files", method="PUT", after=1)
    with pytest.raises(Unreachable):
        put(wheel(tmp_path), destination)
    assert destination.listing("sample/1.0+g1") and look_up("sample", "1.0+g1", destination) is None
    assert verified(put(wheel(tmp_path), destination), destination) == b"the wheel"


def test_an_incomplete_upload_is_not_published(
        workspace: Workspace, tmp_path: Path) -> None:
    destination, content = Dbfs(workspace.client(), "dbfs:/FileStore/failing"), bytes(3 * 2**20)
    workspace.fault("500", path="/api/2.0/dbfs/add-block", after=1)
    with pytest.raises(Unreachable):
        put(wheel(tmp_path, content), destination)
    assert [file.size for file in destination.listing("sample/1.0+g1")][0] == 2**20
    assert look_up("sample", "1.0+g1", destination) is None
    assert verified(put(wheel(tmp_path, content), destination), destination) == content


def test_a_claim_whose_answer_is_lost_on_the_way_does_no_harm(
        workspace: Workspace, tmp_path: Path) -> None:
    destination = Volume(workspace.client(), f"{VOLUME}/lost-answers")
    workspace.fault("cut_after", path="/api/2.0/fs/files", method="PUT")
    assert verified(put(wheel(tmp_path), destination), destination) == b"the wheel"


PUBLISHER = """
import sys
from pathlib import Path
from databricks.sdk import WorkspaceClient
from branchline.platforms.databricks.files import destination
from branchline.errors import AlreadyPublished
from branchline.wheels.publish import publish
there = destination(sys.argv[1], WorkspaceClient())
print("ready", flush=True)
sys.stdin.readline()
try:
    publish([Path(sys.argv[2])], there)
except AlreadyPublished:
    print("refused")
"""


def publish_at_once(server: Workspace, address: str, *wheels: Path) -> list[str]:
    """What the publishers of the wheels say, one process each, let go together."""
    said = at_once(PUBLISHER, *((address, str(file)) for file in wheels),
                   variables=server.environment())
    return [f"{text}{code}" for text, code in said]


@pytest.mark.parametrize("kind", ["local", VOLUME])
def test_two_processes_that_publish_the_same_bytes_both_succeed(
        workspace: Workspace, tmp_path: Path, kind: str) -> None:
    address = str(tmp_path / "wheels") if kind == "local" else f"{kind}/same"
    content = os.urandom(2**20)
    files = [wheel(tmp_path / name, content) for name in ("one", "two")]
    assert publish_at_once(workspace, address, *files) == ["0", "0"]
    found, wheels = found_at(workspace, address)
    assert verified(found.artifacts[-1], wheels) == content


@pytest.mark.parametrize("kind", ["local", VOLUME])
def test_if_two_processes_publish_different_bytes_one_wins_completely(
        workspace: Workspace, tmp_path: Path, kind: str) -> None:
    address = str(tmp_path / "wheels") if kind == "local" else f"{kind}/different"
    files = [wheel(tmp_path / name, os.urandom(2**20)) for name in ("one", "two")]
    said = publish_at_once(workspace, address, *files)
    assert sorted(said) == ["0", "refused\n0"]
    found, wheels = found_at(workspace, address)
    assert verified(found.artifacts[-1], wheels) == files[said.index("0")].read_bytes()


def found_at(server: Workspace, address: str) -> tuple[Published, Destination]:
    files = destination(address, server.client())
    found = look_up("sample", "1.0+g1", files)
    assert found is not None
    return found, files
