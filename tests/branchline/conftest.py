"""Every kind of destination, and the calls that an act causes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from branchline.databricks.files import Dbfs, Volume, WorkspaceFolder
from branchline.destinations import Destination, LocalFolder
from tests.processes import wait_until
from tests.workspace import Workspace

VOLUME = "/Volumes/dev/branchline/files"


@pytest.fixture(params=["local", "volume", "workspace", "dbfs"])
def place(request: pytest.FixtureRequest, workspace: Workspace, tmp_path: Path) -> Destination:
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
