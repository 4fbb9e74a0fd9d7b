"""Lists the files of a folder, or one file: each once, whatever its name or links."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from branchline.errors import BadInput

__all__ = ["Landed", "listed"]

PASSED_OVER = ("_", ".")  # as Spark does: unfinished files, checksums, logs


@dataclass(frozen=True)
class Landed:
    """A file: its address as tables keep it, its path, bytes, and modification time in ns."""

    address: str
    path: str
    size: int
    modified: int


def listed(location: str) -> list[Landed]:
    """The files at `location`, in the order of their paths.

    In a folder, names that begin with `_` or `.` are skipped; a folder that several links lead to
    is read once, under its own name. A file given by name is taken whatever its name is.

    Raises:
        BadInput: no location, nothing there, or neither a file nor a folder.
    """
    if not location.strip():
        raise BadInput("data is empty; expected a folder or file of transactions.")
    if "://" in location:
        raise BadInput(f"{location}: is not a path; expected a folder or file that can be opened, "
                       "such as a volume, /Volumes/CATALOG/SCHEMA/VOLUME.")
    path = os.path.realpath(location)
    try:
        status = os.stat(path)
    except OSError as problem:
        raise BadInput(f"{location}: no such file or folder; expected files to take."
                       if isinstance(problem, FileNotFoundError) else
                       f"{location}: cannot be read ({problem.strerror}).") from None
    if stat.S_ISREG(status.st_mode):
        return [_landed(path, status)]
    if not stat.S_ISDIR(status.st_mode):
        raise BadInput(f"{location}: neither a file nor a folder; expected files to take.")
    return sorted(_walk(path, {(status.st_dev, status.st_ino)}), key=lambda file: file.path)


def _walk(folder: str, seen: set[tuple[int, int]]) -> Iterator[Landed]:
    """The files below; real folders come before links to them."""
    try:
        children = [child for child in os.scandir(folder)
                    if not child.name.startswith(PASSED_OVER)]
    except PermissionError:
        return
    for child in sorted(children, key=lambda child: (child.is_symlink(), child.name)):
        try:
            status = child.stat()
        except OSError:  # a link to nothing, or gone in the meantime
            continue
        if stat.S_ISREG(status.st_mode):
            yield _landed(child.path, status)
        elif stat.S_ISDIR(status.st_mode) and (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            yield from _walk(child.path, seen)


def _landed(path: str, status: os.stat_result) -> Landed:
    return Landed(address_of(path), path, status.st_size, status.st_mtime_ns)


def address_of(path: str) -> str:
    """The path as tables keep it; bytes that are not UTF-8 are written as backslash, x, two digits.
    """
    scheme = "dbfs:" if path.startswith("/Volumes/") else "file:"
    return scheme + path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
