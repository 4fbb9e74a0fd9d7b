"""The copy of a project for a workspace: its files, and the start.py that begins each run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from branchline.errors import BadInput
from branchline.platforms.databricks import start
from branchline.platforms.project_files import files_of

__all__ = ["START", "files_to_upload"]

START = "_branchline_start.py"
LARGEST = 10 * 2**20


def files_to_upload(folder: Path) -> Mapping[str, bytes]:
    """The project's files by relative path, and start.py.

    Raises:
        BadInput: a file is larger than the workspace takes.
    """
    assert start.__file__
    files = files_of(folder)
    for path, content in files.items():
        if len(content) > LARGEST:
            raise BadInput(f"{folder.name}/{path}: {len(content):,} bytes; a workspace takes files "
                           f"of up to {LARGEST:,}. Keep data out of the project's folder.")
    return {**files, START: Path(start.__file__).read_bytes()}
