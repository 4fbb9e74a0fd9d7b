"""A folder of the old DBFS root as a destination."""

from __future__ import annotations

import base64
from io import BytesIO

from databricks.sdk.service.files import DbfsAPI

from branchline.platforms.databricks.remote_folder import RemoteFolder, file_info
from branchline.wheels.destinations import FileInfo

__all__ = ["Dbfs"]

BLOCK = 2**20  # what DBFS takes in one call
ONE_PUT = 700_000  # small enough for one call in base64 too: DBFS does not say which size it counts


class Dbfs(RemoteFolder):
    """A folder of the DBFS root; up to 700 kB are written in one call, more in blocks.

    A file written in blocks is incomplete until the last one has arrived.
    """

    def _list(self, address: str) -> list[FileInfo]:
        return [file_info(each.path, each.is_dir, each.file_size, each.modification_time)
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
