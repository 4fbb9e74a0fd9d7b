"""Every kind of destination, and the calls that an action causes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from branchline.platforms.databricks.files import Dbfs, Volume, WorkspaceFolder
from branchline.wheels.artifacts import Artifact
from branchline.wheels.destinations import Destination, LocalFolder
from branchline.wheels.publish import publish
from support.processes import wait_until
from workspace_server import Workspace

FILE = "sample-1.0+g1-py3-none-any.whl"
VOLUME = "/Volumes/dev/branchline/files"


@pytest.fixture(params=["local", "volume", "workspace", "dbfs"])
def destination(
        request: pytest.FixtureRequest, workspace: Workspace, tmp_path: Path) -> Destination:
    """An empty destination of each kind; its top folder is not there yet."""
    own = f"{tmp_path.parent.name}-{tmp_path.name}"
    if request.param == "local":
        return LocalFolder(tmp_path / "not" / "there")
    client = workspace.client()
    if request.param == "volume":
        return Volume(client, f"{VOLUME}/{own}")
    if request.param == "workspace":
        return WorkspaceFolder(client, f"/Workspace/Shared/{own}/files")
    return Dbfs(client, f"dbfs:/FileStore/{own}")


def called(server: Workspace, act: Callable[[], object]) -> list[dict[str, Any]]:
    """The calls that `act` causes; the server notes each just after it has answered it."""
    before = len(server.calls())
    act()
    server.client().workspace.get_status("/")
    wait_until(lambda: any(_ends(call) for call in server.calls()[before:]))
    return [call for call in server.calls()[before:]
            if not _ends(call) and "well-known" not in call["path"]]


def _ends(call: dict[str, Any]) -> bool:
    return bool(call["path"].endswith("/workspace/get-status"))


def put(file: Path, destination: Destination) -> Artifact:
    """The file, published as the only wheel of its version."""
    return publish([file], destination).artifacts[-1]


def wheel(folder: Path, content: bytes = b"the wheel", version: str = "1.0+g1") -> Path:
    """A file with a wheel's name; publishing never looks inside."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE.replace("1.0+g1", version)
    file.write_bytes(content)
    return file
