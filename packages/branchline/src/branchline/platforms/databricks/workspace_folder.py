"""A folder of workspace files as a destination."""

from __future__ import annotations

from databricks.sdk.errors import NotFound
from databricks.sdk.service.workspace import ImportFormat, ObjectType

from branchline.platforms.databricks.remote_folder import RemoteFolder, file_info
from branchline.wheels.destinations import FileInfo

__all__ = ["WorkspaceFolder"]


class WorkspaceFolder(RemoteFolder):
    """A folder of workspace files of up to 10 MB; a missing folder costs two more calls."""

    def _list(self, address: str) -> list[FileInfo]:
        return [file_info(each.path, each.object_type in (ObjectType.DIRECTORY, ObjectType.REPO),
                          each.size, each.modified_at)
                for each in self.client.workspace.list(address)]

    def _read(self, address: str) -> bytes:
        with self.client.workspace.download(address) as content:
            return content.read()

    def _write(self, address: str, content: bytes, *, overwrite: bool) -> None:
        try:
            self._import(address, content, overwrite)
        except NotFound:  # unlike the other two, it does not create folders by itself
            self.client.workspace.mkdirs(address.rpartition("/")[0])
            self._import(address, content, overwrite)

    def _import(self, address: str, content: bytes, overwrite: bool) -> None:
        # Any other format may turn a Python file into a notebook, without its suffix.
        self.client.workspace.upload(address, content, format=ImportFormat.RAW,
                                     overwrite=overwrite)

    def _delete(self, address: str) -> None:
        self.client.workspace.delete(address)
