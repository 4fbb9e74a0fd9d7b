from __future__ import annotations

import logging
from pathlib import Path

import pytest

from branchline.databricks.files import Dbfs, Volume, WorkspaceFolder, destination
from branchline.destinations import Destination, LocalFolder
from branchline.errors import BadInput, NotAllowed, Unreachable
from tests.branchline.conftest import VOLUME, called
from tests.workspace import Workspace

ALL = [VOLUME, "/Workspace/Shared", "dbfs:/FileStore"]


@pytest.mark.parametrize(("address", "kind", "reference"), [
    ("/Volumes/main/ml/wheels", Volume, "/Volumes/main/ml/wheels/a.whl"),
    ("dbfs:/Volumes/main/ml/wheels/x/", Volume, "/Volumes/main/ml/wheels/x/a.whl"),
    ("/Workspace/Shared/wheels", WorkspaceFolder, "/Workspace/Shared/wheels/a.whl"),
    ("dbfs:/FileStore/wheels", Dbfs, "dbfs:/FileStore/wheels/a.whl"),
    ("/srv/wheels/", LocalFolder, "/srv/wheels/a.whl"),
])
def test_an_address_tells_the_place_and_how_a_cluster_names_its_files(
        file_server: Workspace, address: str, kind: type, reference: str) -> None:
    found = destination(address, file_server.client())
    assert isinstance(found, kind) and found.reference("a.whl") == reference


def test_a_local_folder_needs_no_workspace() -> None:
    assert destination("wheels", None) == LocalFolder(Path("wheels"))
    with pytest.raises(BadInput, match="is in a workspace, and none is signed in to"):
        destination("/Workspace/Shared/wheels", None)


@pytest.mark.parametrize("address", ["/Volumes/main/ml", "s3://bucket/wheels", "abfss://c@a/w"])
def test_an_address_of_no_such_place_is_bad_input(file_server: Workspace, address: str) -> None:
    with pytest.raises(BadInput, match="expected /Volumes/<catalog>/<schema>/<volume>, /Workspace"):
        destination(address, file_server.client())


def test_the_dbfs_root_is_warned_about_once(
        file_server: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        old = destination("dbfs:/FileStore/warned", file_server.client())
        old.replace("file", b"")
        old.read("file")
    assert [record.message for record in caplog.records
            if "runtimes from 15.1 on do not install wheels from there" in record.message] == [
        record.message for record in caplog.records]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("address", ALL)
def test_each_operation_is_one_call(
        file_server: Workspace, address: str, tmp_path: Path) -> None:
    place = destination(f"{address}/{tmp_path.parent.name}-calls", file_server.client())
    place.create("first", b"")  # makes the folder
    for act in (lambda: place.create("file", b"1"), lambda: place.replace("file", b"2"),
                lambda: place.read("file"), lambda: place.entries(""),
                lambda: place.delete("file")):
        assert [call["status"] // 100 for call in called(file_server, act)] == [2]


def test_a_missing_workspace_folder_costs_two_calls_more(
        file_server: Workspace, tmp_path: Path) -> None:
    place = WorkspaceFolder(file_server.client(), f"/Workspace/Shared/{tmp_path.name}-parents")
    calls = called(file_server, lambda: place.create("a/b", b""))
    assert [call["status"] for call in calls] == [404, 200, 200]


@pytest.mark.parametrize("address", ALL)
def test_who_may_not_write_is_told_what_and_where(file_server: Workspace, address: str) -> None:
    place = destination(address, file_server.client("reader@example.com"))
    for write in (place.create, place.replace):
        with pytest.raises(NotAllowed, match=f"write {address}/file: not permitted"):
            write("file", b"")


@pytest.mark.parametrize("address", ALL)
def test_a_failing_service_is_no_missing_file(file_server: Workspace, address: str) -> None:
    place = destination(address, file_server.client())
    for act in (place.read, place.entries, place.delete):
        file_server.fault("500")
        with pytest.raises(Unreachable, match=f"{address}/file"):
            act("file")


def test_a_missing_volume_is_named(file_server: Workspace) -> None:
    place: Destination = Volume(file_server.client(), "/Volumes/dev/shared/other")
    with pytest.raises(BadInput, match="'dev.shared.other' does not exist"):
        place.create("file", b"")


def test_a_call_whose_answer_was_lost_may_find_its_own_file(file_server: Workspace) -> None:
    place = Volume(file_server.client(), f"{VOLUME}/lost")
    file_server.fault("cut_after", path="/api/2.0/fs/files", method="PUT")
    with pytest.raises(FileExistsError):
        place.create("file", b"content")
    assert place.read("file") == b"content"
