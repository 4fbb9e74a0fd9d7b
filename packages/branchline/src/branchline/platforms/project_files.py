"""A project's folder in the workspace: uploaded once for a content, then found by its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from branchline.errors import BadInput
from branchline.platforms.databricks import start
from branchline.wheels.destinations import Destination

__all__ = ["START", "address", "files_of", "upload"]

START = "_branchline_start.py"
COMPLETE = "_complete"
LEFT_OUT = {"__pycache__", "mlruns", "spark-warehouse"}
LARGEST = 10 * 2**20


def address(folder: Path, name: str, place: Destination) -> str:
    """The address of a copy of the folder, with start.py, whether it is there yet or not.

    Raises:
        BadInput: a file is larger than the workspace takes.
    """
    return place.reference(f"{name}/{_digest(files_of(folder))}")


def upload(folder: Path, name: str, place: Destination) -> str:
    """The address of a copy of the folder, with start.py; uploaded if it is not there.

    Raises:
        BadInput: a file is larger than the workspace takes.
    """
    files = files_of(folder)
    copy = f"{name}/{_digest(files)}"
    # Written last: a copy without it was cut off, and is completed.
    if COMPLETE not in {entry.name for entry in place.entries(copy)}:
        for path, content in files.items():
            place.replace(f"{copy}/{path}", content)
        place.replace(f"{copy}/{COMPLETE}", f"{len(files)} files\n".encode())
    return place.reference(copy)


def files_of(folder: Path) -> Mapping[str, bytes]:
    """The folder's files by relative path, in order, and start.py; hidden ones are left out."""
    assert start.__file__
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in _paths(folder)}
    for path, content in files.items():
        if len(content) > LARGEST:
            raise BadInput(f"{folder.name}/{path}: {len(content):,} bytes; a workspace takes files "
                           f"of up to {LARGEST:,}. Keep data out of the project's folder.")
    return files | {START: Path(start.__file__).read_bytes()}


def _paths(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in LEFT_OUT:
            continue
        if path.is_dir():
            yield from _paths(path)
        else:
            yield path


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in files.items():
        digest.update(f"{path} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]
