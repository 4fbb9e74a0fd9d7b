"""Destinations for wheels and project folders: the interface, and a local folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from branchline.errors import BadInput

__all__ = ["Destination", "FileInfo", "LocalFolder"]


@dataclass(frozen=True)
class FileInfo:
    """An entry of a folder; a file has a size in bytes and, if known, seconds since 1970."""

    name: str
    folder: bool
    size: int | None = None
    modified: float | None = None


class Destination(Protocol):
    """A tree of files; paths are relative to its top, with `/`.

    Every operation raises NotAllowed, Unreachable or BadInput where the destination refuses it.
    """

    def reference(self, path: str) -> str:
        """The address by which a cluster's libraries and tasks find the file."""

    def listing(self, folder: str) -> list[FileInfo]:
        """What is directly in the folder, by name; empty if there is no such folder."""

    def read(self, path: str) -> bytes | None:
        """The file's content; None if there is no such file."""

    def create(self, path: str, content: bytes) -> None:
        """Create a file that does not exist yet, and the folders above it.

        If two create it at once, one succeeds. A call that is retried because its answer was lost
        may find the file that it created itself.

        Raises:
            FileExistsError: the file exists, and stays as it is.
        """

    def replace(self, path: str, content: bytes) -> None:
        """Write a file, whether or not it exists, and the folders above it."""

    def delete(self, path: str) -> None:
        """Remove the file if it exists."""

    def delete_folder(self, folder: str) -> None:
        """Remove the folder if it exists and is empty."""


@dataclass(frozen=True)
class LocalFolder:
    """A folder of this machine; a file appears in it complete or not at all."""

    top: Path

    def reference(self, path: str) -> str:
        return str(self.top.absolute() / path)

    def listing(self, folder: str) -> list[FileInfo]:
        found = []
        with _usable(self.top / folder), suppress(FileNotFoundError):
            for file in sorted((self.top / folder).glob("[!.]*")):
                with suppress(FileNotFoundError):  # removed meanwhile
                    found.append(_entry(file))
        return found

    def read(self, path: str) -> bytes | None:
        with _usable(self.top / path), suppress(FileNotFoundError):
            return (self.top / path).read_bytes()
        return None

    def create(self, path: str, content: bytes) -> None:
        with _usable(self.top / path), _written_beside(self.top / path, content) as whole:
            os.link(whole, self.top / path)  # unlike a rename, fails if the file exists

    def replace(self, path: str, content: bytes) -> None:
        with _usable(self.top / path), _written_beside(self.top / path, content) as whole:
            whole.replace(self.top / path)

    def delete(self, path: str) -> None:
        with _usable(self.top / path):
            (self.top / path).unlink(missing_ok=True)

    def delete_folder(self, folder: str) -> None:
        with suppress(OSError):  # not there, or not empty
            (self.top / folder).rmdir()


def _entry(file: Path) -> FileInfo:
    status = file.stat()
    if file.is_dir():
        return FileInfo(file.name, folder=True)
    return FileInfo(file.name, False, status.st_size, status.st_mtime)


@contextmanager
def _written_beside(path: Path, content: bytes) -> Iterator[Path]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as problem:  # the caller would take it for an existing file
        raise NotADirectoryError(problem.errno, f"{path.parent} is a file") from None
    whole = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        whole.write_bytes(content)
        yield whole
    finally:
        whole.unlink(missing_ok=True)


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except OSError as problem:
        raise BadInput(f"{path}: {problem.strerror or problem}; expected a folder that this user "
                       "may read and write.") from problem
