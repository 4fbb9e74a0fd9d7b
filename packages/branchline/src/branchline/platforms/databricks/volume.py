"""A folder of a Unity Catalog volume as a destination."""

from __future__ import annotations

from io import BytesIO

from databricks.sdk.service.files import FilesAPI

from branchline.platforms.databricks.remote_folder import RemoteFolder, file_info
from branchline.wheels.destinations import FileInfo

__all__ = ["Volume"]


class Volume(RemoteFolder):
    """A folder of a volume; each operation is one call.

    FilesAPI is used because the client's own subclass asks for a presigned URL before each
    download. That pays off only from hundreds of megabytes on.
    """

    def _list(self, address: str) -> list[FileInfo]:
        return [file_info(each.path, each.is_directory, each.file_size, each.last_modified)
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
