from __future__ import annotations

import time
from pathlib import Path

import pytest

from branchline.errors import BadInput
from branchline.wheels.destinations import Destination, FileInfo, LocalFolder

ODD = "a+b/1.0+g1 %#?/x y.py"
NOTEBOOK = b"# Databricks notebook source\nprint(1)\n"


def test_what_is_created_can_be_read(place: Destination) -> None:
    place.create("one/two/file", b"content")
    assert place.read("one/two/file") == b"content"


def test_names_and_contents_stay_what_they_are(place: Destination) -> None:
    place.create(ODD, NOTEBOOK)
    assert place.read(ODD) == NOTEBOOK
    assert [entry.name for entry in place.entries("a+b/1.0+g1 %#?")] == ["x y.py"]


def test_a_large_file_arrives_whole(place: Destination) -> None:
    content = bytes(range(256)) * 2**13
    place.create("large", content)
    assert place.read("large") == content
    place.replace("large", content[:2**20])
    assert place.read("large") == content[:2**20]


def test_a_file_that_is_there_is_not_created_again(place: Destination) -> None:
    place.create("folder/file", b"first")
    with pytest.raises(FileExistsError):
        place.create("folder/file", b"second")
    assert place.read("folder/file") == b"first"


def test_a_file_is_replaced_whether_or_not_it_is_there(place: Destination) -> None:
    for content in (b"first", b"second, which is longer", b"3"):
        place.replace("folder/file", content)
        assert place.read("folder/file") == content


def test_entries_tell_files_with_size_and_time_and_folders_by_name(place: Destination) -> None:
    before = time.time()
    place.create("top/b", b"12345")
    place.create("top/c/deeper", b"")
    place.create("top/a", b"")
    found = place.entries("top")
    assert [(entry.name, entry.folder, entry.size) for entry in found] == [
        ("a", False, 0), ("b", False, 5), ("c", True, None)]
    assert all(abs((entry.modified or 0) - before) < 600 for entry in found if not entry.folder)


def test_what_is_not_there_is_none_or_empty_and_deleting_it_is_no_error(place: Destination) -> None:
    place.create("folder/file", b"")
    for path in ("folder/other", "nowhere/at/all"):
        assert place.read(path) is None
        assert place.entries(path) == []
        place.delete(path)
        place.delete_folder(path)


def test_a_folder_is_deleted_only_when_it_is_empty(place: Destination) -> None:
    place.create("top/folder/file", b"")
    place.delete_folder("top/folder")
    assert place.read("top/folder/file") == b""
    place.delete("top/folder/file")
    place.delete_folder("top/folder")
    assert place.entries("top") == []


def test_a_local_folder_shows_nothing_that_has_not_arrived_whole(tmp_path: Path) -> None:
    LocalFolder(tmp_path).create("file", b"1")
    (tmp_path / ".file.123").write_bytes(b"h")
    assert LocalFolder(tmp_path).entries("") == [
        FileInfo("file", False, 1, (tmp_path / "file").stat().st_mtime)]


def test_a_local_folder_s_reference_is_a_whole_path(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert LocalFolder(Path("wheels")).reference("a/b.whl") == f"{tmp_path}/wheels/a/b.whl"


def test_a_local_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = LocalFolder(tmp_path / "file")
    for act in (place.read, place.delete, lambda path: place.create(path, b"")):
        with pytest.raises(BadInput, match="expected a folder that this user may read and write"):
            act("below")
