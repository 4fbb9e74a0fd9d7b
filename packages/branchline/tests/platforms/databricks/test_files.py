from __future__ import annotations

import logging
from pathlib import Path

import pytest

from branchline.errors import BadInput, NotAllowed, Unreachable
from branchline.platforms.databricks.files import Dbfs, Volume, WorkspaceFolder, destination
from branchline.wheels.destinations import Destination, LocalFolder
from support.destinations import VOLUME, called
from workspace_server import Workspace

ALL = [VOLUME, "/Workspace/Shared", "dbfs:/FileStore"]


@pytest.mark.parametrize(("address", "kind", "reference"), [
    ("/Volumes/main/ml/wheels", Volume, "/Volumes/main/ml/wheels/a.whl"),
    ("dbfs:/Volumes/main/ml/wheels/x/", Volume, "/Volumes/main/ml/wheels/x/a.whl"),
    ("/Workspace/Shared/wheels", WorkspaceFolder, "/Workspace/Shared/wheels/a.whl"),
    ("dbfs:/FileStore/wheels", Dbfs, "dbfs:/FileStore/wheels/a.whl"),
    ("/srv/wheels/", LocalFolder, "/srv/wheels/a.whl"),
])
def test_an_address_chooses_the_destination_and_a_cluster_s_path(
        workspace: Workspace, address: str, kind: type, reference: str) -> None:
    found = destination(address, workspace.client())
    assert isinstance(found, kind) and found.reference("a.whl") == reference


def test_a_local_folder_needs_no_workspace() -> None:
    assert destination("wheels", None) == LocalFolder(Path("wheels"))
    with pytest.raises(BadInput, match="is in a workspace, but no workspace is signed in to"):
        destination("/Workspace/Shared/wheels", None)


@pytest.mark.parametrize("address", ["/Volumes/main/ml", "s3://bucket/wheels", "abfss://c@a/w"])
def test_an_unknown_kind_of_address_is_bad_input(workspace: Workspace, address: str) -> None:
    with pytest.raises(BadInput, match="expected /Volumes/<catalog>/<schema>/<volume>, /Workspace"):
        destination(address, workspace.client())


def test_the_dbfs_root_is_warned_about_once(
        workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        old = destination("dbfs:/FileStore/warned", workspace.client())
        old.replace("file", b"")
        old.read("file")
    assert [record.message for record in caplog.records
            if "runtimes from 15.1 on do not install wheels from there" in record.message] == [
        record.message for record in caplog.records]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("address", ALL)
def test_each_operation_is_one_call(
        workspace: Workspace, address: str, tmp_path: Path) -> None:
    files = destination(f"{address}/{tmp_path.parent.name}-calls", workspace.client())
    files.create("first", b"")  # makes the folder
    for act in (lambda: files.create("file", b"1"), lambda: files.replace("file", b"2"),
                lambda: files.read("file"), lambda: files.listing(""),
                lambda: files.delete("file")):
        assert [call["status"] // 100 for call in called(workspace, act)] == [2]


def test_a_missing_workspace_folder_costs_two_calls_more(
        workspace: Workspace, tmp_path: Path) -> None:
    files = WorkspaceFolder(workspace.client(), f"/Workspace/Shared/{tmp_path.name}-parents")
    calls = called(workspace, lambda: files.create("a/b", b""))
    assert [call["status"] for call in calls] == [404, 200, 200]


@pytest.mark.parametrize("address", ALL)
def test_without_write_permission_the_error_says_what_and_where(
        workspace: Workspace, address: str) -> None:
    files = destination(address, workspace.client("reader@example.com"))
    for write in (files.create, files.replace):
        with pytest.raises(NotAllowed, match=f"write {address}/file: not permitted"):
            write("file", b"")


@pytest.mark.parametrize("address", ALL)
def test_a_failing_service_is_not_a_missing_file(workspace: Workspace, address: str) -> None:
    files = destination(address, workspace.client())
    for act in (files.read, files.listing, files.delete):
        workspace.fault("500")
        with pytest.raises(Unreachable, match=f"{address}/file"):
            act("file")


def test_a_missing_volume_is_named(workspace: Workspace) -> None:
    files: Destination = Volume(workspace.client(), "/Volumes/dev/shared/other")
    with pytest.raises(BadInput, match="'dev.shared.other' does not exist"):
        files.create("file", b"")


def test_a_call_whose_answer_was_lost_may_find_its_own_file(workspace: Workspace) -> None:
    files = Volume(workspace.client(), f"{VOLUME}/lost")
    workspace.fault("cut_after", path="/api/2.0/fs/files", method="PUT")
    with pytest.raises(FileExistsError):
        files.create("file", b"content")
    assert files.read("file") == b"content"
