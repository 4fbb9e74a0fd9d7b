"""A copy of a project's folder: uploaded once for a content, then found by its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from branchline.errors import BadInput
from branchline.records import Format, encoded, parsed
from branchline.wheels.destinations import Destination

__all__ = ["address", "download", "files_of", "upload"]

COMPLETE = "_complete"
FORMAT = Format("project-copy", 2)  # 1 was a line, "<number> files"
LEFT_OUT = {"__pycache__", "mlruns", "spark-warehouse"}


def files_of(folder: Path) -> Mapping[str, bytes]:
    """The folder's files by relative path, in order; hidden ones and caches are left out."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in _paths(folder)}


def address(files: Mapping[str, bytes], name: str, destination: Destination) -> str:
    """The address of a copy of the files in the destination, uploaded or not."""
    return destination.reference(f"{name}/{_digest(files)}")


def upload(files: Mapping[str, bytes], name: str, destination: Destination) -> str:
    """Upload a copy of the files if it is missing; its address.

    Raises:
        BadInput: a newer branchline uploaded it.
    """
    copy = f"{name}/{_digest(files)}"
    if not _is_complete(copy, destination):
        for path, content in files.items():
            destination.replace(f"{copy}/{path}", content)
        # Written last: a copy without it is incomplete, and is uploaded again.
        destination.replace(f"{copy}/{COMPLETE}", encoded(FORMAT.written({"files": len(files)})))
    return destination.reference(copy)


def download(copy: Destination, folder: Path) -> Path:
    """Write a copy's files into a folder, which is returned.

    Raises:
        BadInput: the copy is not complete, or cannot be read.
    """
    if copy.read(COMPLETE) is None:
        raise BadInput(f"{copy.reference('').rstrip('/')}: is not a complete copy of a project; "
                       "expected the one that was deployed.")
    _download(copy, "", folder)
    return folder


def _download(copy: Destination, below: str, folder: Path) -> None:
    for file in copy.listing(below):
        path = f"{below}/{file.name}".lstrip("/")
        if file.folder:
            _download(copy, path, folder)
        elif file.name != COMPLETE:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(copy.read(path) or b"")


def _is_complete(copy: str, destination: Destination) -> bool:
    path = f"{copy}/{COMPLETE}"
    content = destination.read(path)
    if content is not None and content.startswith(b"{"):
        where = destination.reference(path)
        FORMAT.read(parsed(content, where), where)
    return content is not None


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
