"""A workspace's destinations: Unity Catalog volumes, workspace files and the old DBFS root."""

from __future__ import annotations

import base64
import logging
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import AlreadyExists, BadRequest, NotFound, ResourceAlreadyExists
from databricks.sdk.service.files import DbfsAPI, FilesAPI
from databricks.sdk.service.workspace import ImportFormat, ObjectType

from branchline.errors import BadInput
from branchline.platforms.databricks.client import translated
from branchline.wheels.destinations import Destination, FileInfo, LocalFolder

__all__ = ["Dbfs", "Volume", "WorkspaceFolder", "destination"]

BLOCK = 2**20  # what DBFS takes in one call
ONE_PUT = 700_000  # the base64 of that is below a block too: DBFS does not say which it counts

LEGACY = ("%s: the DBFS root is legacy: runtimes from 15.1 on do not install wheels from there, "
          "and new workspaces have it off; use /Volumes/<catalog>/<schema>/<volume>.")


def destination(address: str, client: WorkspaceClient | None) -> Destination:
    """The destination that an address names.

    `/Volumes/...` or `dbfs:/Volumes/...`, `/Workspace/...`, `dbfs:/...` (legacy, which is said in
    the log); anything else is a folder of this machine, the only one that needs no client.

    Raises:
        BadInput: no such kind of destination, or one of a workspace without a client.
    """
    folder = address.rstrip("/").replace("dbfs:/Volumes/", "/Volumes/")
    remote = folder.startswith(("/Volumes/", "/Workspace/", "dbfs:/"))
    if not remote and ":/" not in folder:
        return LocalFolder(Path(folder).expanduser())
    if not remote or (folder.startswith("/Volumes/") and folder.count("/") < 4):
        raise BadInput(f"destination {address}: expected /Volumes/<catalog>/<schema>/<volume>, "
                       "/Workspace/<folder>, dbfs:/FileStore/<folder> or a local folder.")
    if client is None:
        raise BadInput(f"destination {address}: is in a workspace, and none is signed in to.")
    if folder.startswith("/Volumes/"):
        return Volume(client, folder)
    if folder.startswith("/Workspace/"):
        return WorkspaceFolder(client, folder)
    logging.getLogger(__name__).warning(LEGACY, address)
    return Dbfs(client, folder)


@dataclass(frozen=True)
class _Remote(ABC):
    """A Destination below `folder`; the three kinds say what is called, this what answers mean."""

    client: WorkspaceClient
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


class Volume(_Remote):
    """A folder of a volume; each operation is one call.

    FilesAPI, because the client's own subclass of it asks for a signed address before each
    download, which pays off for files of hundreds of megabytes only.
    """

    def _list(self, address: str) -> list[FileInfo]:
        return [_entry(each.path, each.is_directory, each.file_size, each.last_modified)
                for each in self.client.files.list_directory_contents(address)]

    def _read(self, address: str) -> bytes:
        content = FilesAPI.download(self.client.files, address).contents
        return content.read() if content else b""

    def _write(self, address: str, content: bytes, *, overwrite: bool) -> None:
        FilesAPI.upload(self.client.files, address, BytesIO(content), overwrite=overwrite)

    def _delete(self, address: str) -> None:
        self.client.files.delete(address)

    def _delete_folder(self, address: str) -> None:
        self.client.files.delete_directory(address)


class WorkspaceFolder(_Remote):
    """A folder of workspace files of up to 10 MB; a missing folder costs two calls more."""

    def _list(self, address: str) -> list[FileInfo]:
        return [_entry(each.path, each.object_type in (ObjectType.DIRECTORY, ObjectType.REPO),
                       each.size, each.modified_at)
                for each in self.client.workspace.list(address)]

    def _read(self, address: str) -> bytes:
        with self.client.workspace.download(address) as content:
            return content.read()

    def _write(self, address: str, content: bytes, *, overwrite: bool) -> None:
        try:
            self._import(address, content, overwrite)
        except NotFound:  # unlike the other two, it makes no folders by itself
            self.client.workspace.mkdirs(address.rpartition("/")[0])
            self._import(address, content, overwrite)

    def _import(self, address: str, content: bytes, overwrite: bool) -> None:
        # Any other format may turn a Python file into a notebook, without its suffix.
        self.client.workspace.upload(address, content, format=ImportFormat.RAW,
                                     overwrite=overwrite)

    def _delete(self, address: str) -> None:
        self.client.workspace.delete(address)


class Dbfs(_Remote):
    """A folder of the DBFS root; up to 700 kB are written in one call, more in blocks.

    What is written in blocks is there in part until the last one has arrived.
    """

    def _list(self, address: str) -> list[FileInfo]:
        return [_entry(each.path, each.is_dir, each.file_size, each.modification_time)
                for each in DbfsAPI.list(self.client.dbfs, address.removeprefix("dbfs:"))]

    def _read(self, address: str) -> bytes:
        content, path = b"", address.removeprefix("dbfs:")
        while True:
            block = self.client.dbfs.read(path, offset=len(content), length=BLOCK)
            content += base64.b64decode(block.data or "")
            if (block.bytes_read or 0) < BLOCK:
                return content

    def _write(self, address: str, content: bytes, *, overwrite: bool) -> None:
        path = address.removeprefix("dbfs:")
        if len(content) > ONE_PUT:
            self.client.dbfs.upload(path, BytesIO(content), overwrite=overwrite)
        else:
            self.client.dbfs.put(path, contents=base64.b64encode(content).decode(),
                                 overwrite=overwrite)

    def _delete(self, address: str) -> None:
        DbfsAPI.delete(self.client.dbfs, address.removeprefix("dbfs:"))


def _entry(path: str | None, folder: bool | None, size: int | None, time: int | None) -> FileInfo:
    name = (path or "").rstrip("/").rpartition("/")[2]
    if folder:
        return FileInfo(name, True)
    return FileInfo(name, False, size, time / 1000 if time else None)
