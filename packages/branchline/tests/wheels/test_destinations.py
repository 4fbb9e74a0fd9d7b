from __future__ import annotations

import time
from pathlib import Path

import pytest

from branchline.errors import BadInput
from branchline.wheels.destinations import Destination, FileInfo, LocalFolder

ODD = "a+b/1.0+g1 %#?/x y.py"
NOTEBOOK = b"# Databricks notebook source\nprint(1)\n"


def test_a_created_file_can_be_read(destination: Destination) -> None:
    destination.create("one/two/file", b"content")
    assert destination.read("one/two/file") == b"content"


def test_names_and_contents_are_kept_exactly(destination: Destination) -> None:
    destination.create(ODD, NOTEBOOK)
    assert destination.read(ODD) == NOTEBOOK
    assert [file.name for file in destination.listing("a+b/1.0+g1 %#?")] == ["x y.py"]


def test_a_large_file_arrives_whole(destination: Destination) -> None:
    content = bytes(range(256)) * 2**13
    destination.create("large", content)
    assert destination.read("large") == content
    destination.replace("large", content[:2**20])
    assert destination.read("large") == content[:2**20]


def test_an_existing_file_is_not_created_again(destination: Destination) -> None:
    destination.create("folder/file", b"first")
    with pytest.raises(FileExistsError):
        destination.create("folder/file", b"second")
    assert destination.read("folder/file") == b"first"


def test_replace_writes_new_and_existing_files(destination: Destination) -> None:
    for content in (b"first", b"second, which is longer", b"3"):
        destination.replace("folder/file", content)
        assert destination.read("folder/file") == content


def test_a_listing_has_files_with_size_and_time_and_folders_by_name(
        destination: Destination) -> None:
    before = time.time()
    destination.create("top/b", b"12345")
    destination.create("top/c/deeper", b"")
    destination.create("top/a", b"")
    found = destination.listing("top")
    assert [(file.name, file.folder, file.size) for file in found] == [
        ("a", False, 0), ("b", False, 5), ("c", True, None)]
    assert all(abs((file.modified or 0) - before) < 600 for file in found if not file.folder)


def test_a_missing_file_or_folder_reads_as_none_or_empty_and_may_be_deleted(
        destination: Destination) -> None:
    destination.create("folder/file", b"")
    for path in ("folder/other", "nowhere/at/all"):
        assert destination.read(path) is None
        assert destination.listing(path) == []
        destination.delete(path)
        destination.delete_folder(path)


def test_a_folder_is_deleted_only_when_it_is_empty(destination: Destination) -> None:
    destination.create("top/folder/file", b"")
    destination.delete_folder("top/folder")
    assert destination.read("top/folder/file") == b""
    destination.delete("top/folder/file")
    destination.delete_folder("top/folder")
    assert destination.listing("top") == []


def test_a_local_folder_never_shows_an_incomplete_file(tmp_path: Path) -> None:
    LocalFolder(tmp_path).create("file", b"1")
    (tmp_path / ".file.123").write_bytes(b"h")
    assert LocalFolder(tmp_path).listing("") == [
        FileInfo("file", False, 1, (tmp_path / "file").stat().st_mtime)]


def test_a_local_folder_s_reference_is_a_whole_path(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert LocalFolder(Path("wheels")).reference("a/b.whl") == f"{tmp_path}/wheels/a/b.whl"


def test_a_local_folder_that_is_a_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    destination = LocalFolder(tmp_path / "file")
    for act in (destination.read, destination.delete, lambda path: destination.create(path, b"")):
        with pytest.raises(BadInput, match="expected a folder that this user may read and write"):
            act("below")
