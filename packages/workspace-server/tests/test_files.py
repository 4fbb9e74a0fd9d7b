from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (AlreadyExists, BadRequest, NotFound, PermissionDenied,
                                   ResourceAlreadyExists, ResourceDoesNotExist)
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.workspace import ImportFormat, ObjectType

from runs_in_workspace import HOME, VOLUME
from workspace_server import Workspace

NOTEBOOK = b"# Databricks notebook source\nprint(1)\n"


def test_a_script_imported_with_auto_stays_a_file(client: WorkspaceClient) -> None:
    client.workspace.upload(f"{HOME}/a.py", io.BytesIO(b"print(1)\n"), format=ImportFormat.AUTO)
    assert client.workspace.get_status(f"{HOME}/a.py").object_type is ObjectType.FILE
    assert client.workspace.download(f"{HOME}/a.py").read() == b"print(1)\n"


def test_a_script_with_a_notebooks_header_loses_its_suffix(client: WorkspaceClient) -> None:
    client.workspace.upload(f"{HOME}/n.py", io.BytesIO(NOTEBOOK), format=ImportFormat.AUTO)
    assert client.workspace.get_status(f"{HOME}/n").object_type is ObjectType.NOTEBOOK
    with pytest.raises(ResourceDoesNotExist, match="doesn't exist"):
        client.workspace.get_status(f"{HOME}/n.py")


def test_a_file_does_not_replace_a_notebook(client: WorkspaceClient) -> None:
    client.workspace.upload(f"{HOME}/m.py", io.BytesIO(NOTEBOOK), format=ImportFormat.AUTO)
    with pytest.raises(DatabricksError, match="type mismatch"):
        client.workspace.upload(f"{HOME}/m", io.BytesIO(b"x"), format=ImportFormat.RAW,
                                overwrite=True)


def test_import_makes_no_folders_and_replaces_only_if_asked(client: WorkspaceClient) -> None:
    with pytest.raises(ResourceDoesNotExist, match="parent folder"):
        client.workspace.upload(f"{HOME}/none/a.txt", io.BytesIO(b"1"), format=ImportFormat.RAW)
    client.workspace.upload(f"{HOME}/b.txt", io.BytesIO(b"1"), format=ImportFormat.RAW)
    with pytest.raises(ResourceAlreadyExists, match="already exists.$"):
        client.workspace.upload(f"{HOME}/b.txt", io.BytesIO(b"2"), format=ImportFormat.RAW)


def test_the_prefix_workspace_means_nothing(client: WorkspaceClient) -> None:
    client.workspace.mkdirs("/Workspace/Shared/one/two")
    assert client.workspace.get_status("/Shared/one/two").path == "/Shared/one/two"
    assert [node.path for node in client.workspace.list("/Workspace/Shared/one")] == [
        "/Shared/one/two"]


def test_a_folder_that_is_not_empty_is_deleted_only_recursively(client: WorkspaceClient) -> None:
    client.workspace.mkdirs("/Shared/full/inside")
    with pytest.raises(BadRequest) as refused:
        client.workspace.delete("/Shared/full")
    assert refused.value.error_code == "DIRECTORY_NOT_EMPTY"
    client.workspace.delete("/Shared/full", recursive=True)
    with pytest.raises(ResourceDoesNotExist):
        client.workspace.get_status("/Shared/full")


@pytest.mark.parametrize("name", ["plain.txt", "a b+c#d?e%20.txt", "ünï/deep/er.txt"])
def test_a_volume_keeps_a_file_under_its_exact_name(client: WorkspaceClient, name: str) -> None:
    client.files.upload(f"{VOLUME}/{name}", io.BytesIO(b"content"), overwrite=False)
    contents = client.files.download(f"{VOLUME}/{name}").contents
    assert contents and contents.read() == b"content"
    assert client.files.get_metadata(f"{VOLUME}/{name}").content_length == 7
    with pytest.raises(AlreadyExists):
        client.files.upload(f"{VOLUME}/{name}", io.BytesIO(b"other"), overwrite=False)


def test_a_large_file_arrives_whole_though_storage_takes_no_parts(client: WorkspaceClient) -> None:
    content = os.urandom(51 * 2**20)
    client.files.upload(f"{VOLUME}/large", io.BytesIO(content), overwrite=True)
    contents = client.files.download(f"{VOLUME}/large").contents
    assert contents and contents.read() == content


def test_a_file_needs_a_volume_that_exists(client: WorkspaceClient) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        client.files.upload("/Volumes/dev/default/none/a", io.BytesIO(b"1"), overwrite=True)


def test_dbfs_takes_files_in_blocks_of_a_megabyte(client: WorkspaceClient) -> None:
    content = os.urandom(3 * 2**20)
    client.dbfs.upload("/FileStore/large", io.BytesIO(content))
    assert client.dbfs.download("/FileStore/large").read() == content
    with pytest.raises(DatabricksError) as refused:
        client.dbfs.put("/FileStore/put", contents="A" * (2**21))
    assert refused.value.error_code == "MAX_BLOCK_SIZE_EXCEEDED"


def test_a_workspace_without_dbfs_root_refuses_dbfs_paths(tmp_path: Path) -> None:
    with Workspace.start(tmp_path, dbfs_root=False) as workspace:
        with pytest.raises(PermissionDenied, match="Public DBFS root is disabled"):
            list(workspace.client().dbfs.list("/"))


def test_a_reader_sees_everything_and_changes_nothing(workspace: Workspace) -> None:
    reader = workspace.client("reader@example.com")
    assert reader.current_user.me().user_name == "reader@example.com"
    assert [node.path for node in reader.workspace.list("/Users")]
    with pytest.raises(PermissionDenied):
        reader.workspace.mkdirs("/Shared/mine")
    with pytest.raises(PermissionDenied):
        reader.files.upload(f"{VOLUME}/mine", io.BytesIO(b"1"), overwrite=True)


def test_an_unknown_token_and_no_token_have_different_errors(workspace: Workspace) -> None:
    stranger = WorkspaceClient(host=workspace.host, token="wrong", auth_type="pat")
    with pytest.raises(PermissionDenied, match="Invalid access token"):
        stranger.current_user.me()
    import requests
    answer = requests.get(f"{workspace.host}/api/2.0/preview/scim/v2/Me", timeout=60)
    assert answer.status_code == 401


def test_a_schema_with_content_is_deleted_only_by_force(client: WorkspaceClient) -> None:
    from databricks.sdk.service.catalog import VolumeType
    client.schemas.create("Branch_1", "dev")
    client.volumes.create("dev", "branch_1", "landed", VolumeType.MANAGED)
    with pytest.raises(DatabricksError, match="not empty"):
        client.schemas.delete("dev.branch_1")
    client.schemas.delete("dev.branch_1", force=True)
    assert "branch_1" not in [schema.name for schema in client.schemas.list("dev")]
    with pytest.raises(NotFound):
        client.volumes.read("dev.branch_1.landed")


def test_dbfs_moves_files_and_folders(client: WorkspaceClient) -> None:
    client.dbfs.upload("/moved/from/a.txt", io.BytesIO(b"a"))
    client.dbfs.move("/moved/from/a.txt", "/moved/b.txt")
    client.dbfs.move("/moved/from", "/moved/to")
    assert sorted(str(file.path) for file in client.dbfs.list("/moved")) == [
        "/moved/b.txt", "/moved/to"]
    assert client.dbfs.download("/moved/b.txt").read() == b"a"


def test_dbfs_refuses_impossible_moves(
        client: WorkspaceClient) -> None:
    client.dbfs.upload("/stays/a.txt", io.BytesIO(b"a"))
    client.dbfs.upload("/stays/b.txt", io.BytesIO(b"b"))
    for source, target, error in (("/stays/a.txt", "/stays/b.txt", ResourceAlreadyExists),
                                  ("/none", "/stays/c.txt", ResourceDoesNotExist),
                                  ("/stays/a.txt", "/none/a.txt", ResourceDoesNotExist),
                                  ("/stays", "/stays/in", BadRequest)):
        with pytest.raises(error):
            client.dbfs.move(source, target)
    assert client.dbfs.download("/stays/b.txt").read() == b"b"
