from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from branchline.errors import BadInput
from branchline.platforms.databricks import live_sources as live, start
from branchline.platforms.databricks.project_copy import LARGEST, START, files_to_upload
from branchline.platforms.project_files import download, upload
from branchline.wheels.destinations import LocalFolder


class Watched:
    """A folder that notes what is written into it, and may die on the way."""

    def __init__(self, top: Path) -> None:
        self.folder = LocalFolder(top)
        self.written: list[str] = []
        self.dies_after: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.folder, name)

    def replace(self, path: str, content: bytes) -> None:
        if len(self.written) == self.dies_after:
            raise ConnectionError(path)
        self.written.append(path.rpartition("/")[2])
        self.folder.replace(path, content)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "repository" / "projects" / "training"
    (folder / "sql").mkdir(parents=True)
    (folder / "main.py").write_text("print(1)\n")
    (folder / "sql" / "a.sql").write_text("SELECT 1\n")
    (folder / "mlruns").mkdir()
    (folder / "mlruns" / "m").write_text("")
    (folder / ".hidden").write_text("")
    (tmp_path / "repository" / "src" / "package").mkdir(parents=True)
    (tmp_path / "repository" / "src" / "package" / "__init__.py").write_text("VALUE = 1\n")
    (tmp_path / "repository" / "pyproject.toml").write_text(
        '[project]\nname = "package"\nversion = "1.0"\n')
    return folder


@pytest.fixture
def destination(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "copies")


def test_a_copy_holds_the_projects_files_and_the_start(project: Path, destination: Watched) -> None:
    copy = Path(upload(files_to_upload(project), "training", destination))
    assert sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*")
                  if path.is_file()) == [START, "_complete", "main.py", "sql/a.sql"]
    assert (copy / START).read_bytes() == Path(start.__file__ or "").read_bytes()


def test_the_same_content_is_uploaded_once_and_another_beside_it(
        project: Path, destination: Watched) -> None:
    first = upload(files_to_upload(project), "training", destination)
    destination.written.clear()
    assert upload(files_to_upload(project), "training", destination) == first
    assert destination.written == []
    (project / "main.py").write_text("print(2)\n")
    assert upload(files_to_upload(project), "training", destination) != first
    assert Path(first, "main.py").read_text() == "print(1)\n"


def test_a_copy_that_an_older_branchline_completed_is_not_uploaded_again(
        project: Path, destination: Watched) -> None:
    copy = Path(upload(files_to_upload(project), "training", destination))
    assert json.loads((copy / "_complete").read_text()) == {"files": 3, "format": "project-copy/2"}
    (copy / "_complete").write_text("3 files\n")
    destination.written.clear()
    assert upload(files_to_upload(project), "training", destination) == str(copy)
    assert destination.written == []


def test_a_copy_of_a_newer_branchline_says_what_to_upgrade(
        project: Path, destination: Watched) -> None:
    copy = Path(upload(files_to_upload(project), "training", destination))
    (copy / "_complete").write_text('{"format": "project-copy/3"}')
    with pytest.raises(BadInput, match="_complete: found format project-copy/3; .* upgrade branc"):
        upload(files_to_upload(project), "training", destination)


@pytest.mark.parametrize("files", [0, 1, 3])
def test_an_interrupted_upload_is_completed(
        project: Path, destination: Watched, files: int) -> None:
    destination.dies_after = files
    with pytest.raises(ConnectionError):
        upload(files_to_upload(project), "training", destination)
    destination.dies_after = None
    copy = Path(upload(files_to_upload(project), "training", destination))
    assert (copy / "sql" / "a.sql").read_text() == "SELECT 1\n"


def test_a_file_that_a_workspace_does_not_take_is_named(
        project: Path, destination: Watched) -> None:
    (project / "data.csv").write_bytes(b"x" * (LARGEST + 1))
    with pytest.raises(BadInput, match=r"training/data\.csv: 10,485,761 bytes"):
        upload(files_to_upload(project), "training", destination)


def test_live_sources_are_uploaded_where_they_changed(project: Path, destination: Watched) -> None:
    root = project.parents[1]
    copy, sources = live.sync(root, project, "live/me", destination)
    assert Path(sources, "package", "__init__.py").read_text() == "VALUE = 1\n"
    destination.written.clear()
    live.sync(root, project, "live/me", destination)
    assert destination.written == []
    (project / "main.py").write_text("print(3)\n")
    (root / "src" / "package" / "__init__.py").unlink()
    live.sync(root, project, "live/me", destination)
    assert destination.written == ["main.py", "_manifest.json"]
    assert Path(copy, "main.py").read_text() == "print(3)\n"
    assert not Path(sources, "package", "__init__.py").exists()


def test_nothing_stale_is_left_after_an_interrupted_sync(
        project: Path, destination: Watched) -> None:
    root = project.parents[1]
    copy, _ = live.sync(root, project, "live/me", destination)
    (project / "main.py").write_text("print(4)\n")
    destination.written.clear()
    destination.dies_after = 1
    with pytest.raises(ConnectionError):
        live.sync(root, project, "live/me", destination)
    destination.dies_after = None
    (project / "main.py").write_text("print(1)\n")
    live.sync(root, project, "live/me", destination)
    assert Path(copy, "main.py").read_text() == "print(1)\n"


def test_a_copy_is_downloaded_as_it_was_uploaded(project: Path, destination: Watched,
                                                 tmp_path: Path) -> None:
    copy = Path(upload(files_to_upload(project), "training", destination))
    folder = download(LocalFolder(copy), tmp_path / "downloaded")
    assert (folder / "sql" / "a.sql").read_text() == "SELECT 1\n"
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {
        START, "main.py", "a.sql"}


def test_a_copy_that_is_not_complete_is_not_downloaded(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "main.py").write_text("")
    with pytest.raises(BadInput, match="copy: is not a complete copy of a project"):
        download(LocalFolder(tmp_path / "copy"), tmp_path / "downloaded")
