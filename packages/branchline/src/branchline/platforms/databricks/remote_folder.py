"""A folder of a workspace as a destination: the part that is common to all kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass

from databricks.sdk.errors import AlreadyExists, BadRequest, NotFound, ResourceAlreadyExists

from branchline.platforms.databricks.client import translated
from branchline.platforms.databricks.workspace import Workspace
from branchline.wheels.destinations import FileInfo

__all__ = ["RemoteFolder", "file_info"]


@dataclass(frozen=True)
class RemoteFolder(ABC):
    """A Destination below `folder`; subclasses make the calls, this class reads the answers."""

    client: Workspace
    folder: str

    def reference(self, path: str) -> str:
        return f"{self.folder}/{path}".rstrip("/")

    def listing(self, folder: str) -> list[FileInfo]:
        with translated(f"list {self.reference(folder)}"), suppress(NotFound):
            return sorted(self._list(self.reference(folder)), key=lambda file: file.name)
        return []

    def read(self, path: str) -> bytes | None:
        with translated(f"read {self.reference(path)}"), suppress(NotFound):
            return self._read(self.reference(path))
        return None

    def create(self, path: str, content: bytes) -> None:
        with translated(f"write {self.reference(path)}"):
            try:
                self._write(self.reference(path), content, overwrite=False)
            except (AlreadyExists, ResourceAlreadyExists):
                raise FileExistsError(self.reference(path)) from None

    def replace(self, path: str, content: bytes) -> None:
        with translated(f"write {self.reference(path)}"):
            self._write(self.reference(path), content, overwrite=True)

    def delete(self, path: str) -> None:
        with translated(f"delete {self.reference(path)}"), suppress(NotFound):
            self._delete(self.reference(path))

    def delete_folder(self, folder: str) -> None:
        with translated(f"delete {self.reference(folder)}"), suppress(NotFound, BadRequest):
            self._delete_folder(self.reference(folder))

    @abstractmethod
    def _list(self, address: str) -> list[FileInfo]: ...

    @abstractmethod
    def _read(self, address: str) -> bytes: ...

    @abstractmethod
    def _write(self, address: str, content: bytes, *, overwrite: bool) -> None: ...

    @abstractmethod
    def _delete(self, address: str) -> None: ...

    def _delete_folder(self, address: str) -> None:
        self._delete(address)


def file_info(path: str | None, folder: bool | None, size: int | None,
              time: int | None) -> FileInfo:
    """What the platform says about a file or folder; the time is in milliseconds."""
    name = (path or "").rstrip("/").rpartition("/")[2]
    if folder:
        return FileInfo(name, True)
    return FileInfo(name, False, size, time / 1000 if time else None)
