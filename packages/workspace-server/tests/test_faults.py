from __future__ import annotations

from collections.abc import Callable

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InternalError

from workspace_server import Workspace

MKDIRS = "/api/2.0/workspace/mkdirs"


@pytest.fixture
def statuses(workspace: Workspace) -> Callable[[], list[int]]:
    """The statuses of the calls to mkdirs that this test makes."""
    before = len(workspace.calls())
    return lambda: [call["status"] for call in workspace.calls()[before:]
                    if call["path"] == MKDIRS]


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("503", 503), ("cut_before", 0),
                                              ("cut_after", 0)])
def test_the_sdk_tries_again_after(kind: str, status: int, workspace: Workspace,
                                   client: WorkspaceClient,
                                   statuses: Callable[[], list[int]]) -> None:
    workspace.fault(kind, path=MKDIRS)
    client.workspace.mkdirs("/Shared/again")
    assert statuses() == [status, 200]


def test_the_sdk_does_not_try_again_after_500(workspace: Workspace, client: WorkspaceClient,
                                              statuses: Callable[[], list[int]]) -> None:
    workspace.fault("500", path=MKDIRS)
    with pytest.raises(InternalError):
        client.workspace.mkdirs("/Shared/never")
    assert statuses() == [500]


def test_a_cut_comes_before_or_after_the_effect(workspace: Workspace,
                                                client: WorkspaceClient) -> None:
    import requests
    headers = {"Authorization": f"Bearer {workspace.token()}"}
    for kind, happens in (("cut_before", False), ("cut_after", True)):
        workspace.fault(kind, path=MKDIRS)
        with pytest.raises(requests.ConnectionError):
            requests.post(workspace.host + MKDIRS, json={"path": f"/Shared/{kind}"},
                          headers=headers, timeout=60)
        there = [node.path for node in client.workspace.list("/Shared")]
        assert (f"/Shared/{kind}" in there) is happens


def test_a_fault_spares_other_calls_and_the_first_ones(workspace: Workspace,
                                                       client: WorkspaceClient) -> None:
    workspace.fault("500", path=MKDIRS, method="POST", after=1)
    client.current_user.me()
    client.workspace.mkdirs("/Shared/first")
    with pytest.raises(InternalError):
        client.workspace.mkdirs("/Shared/second")
