"""The DBFS API with its limits: 1 MB a block, handles to close, a root that may be off."""

from __future__ import annotations

import base64
import binascii
import itertools
import shutil
import threading
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from workspace_server.errors import ApiError, denied, exists, invalid, missing
from workspace_server.fields import check_fields
from workspace_server.identity import Body, Reader, Writer

BLOCK = 2**20


class Dbfs:
    """The DBFS root below a folder; `enabled` False is how new workspaces have it."""

    def __init__(self, root: Path, enabled: bool) -> None:
        self.root, self.enabled = root, enabled
        self._handles: dict[int, Path] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)

    def on_disk(self, path: object) -> Path:
        """The file on disk of a path, with or without `dbfs:`.

        Raises:
            ApiError: 403 the root is switched off, 400 no absolute path.
        """
        text = str(path or "").removeprefix("dbfs:")
        if not text.startswith("/") or ".." in text.split("/"):
            raise invalid(f"Path must be absolute: {text}")
        if not self.enabled:
            raise denied(f"Public DBFS root is disabled. Access is denied on path: {text}")
        return self.root / text.strip("/")

    def found(self, path: object) -> Path:
        found_at = self.on_disk(path)
        if not found_at.exists():
            raise missing(f"No file or directory exists on path {path}.")
        return found_at

    def create(self, path: object, content: bytes, overwrite: bool) -> Path:
        """Write a file; its folders are made.

        Raises:
            ApiError: 400, it is there and may not be replaced.
        """
        found_at = self.on_disk(path)
        with self._lock:
            if found_at.is_dir() or (found_at.exists() and not overwrite):
                raise exists(f"A file or directory already exists at the input path {path}.")
            found_at.parent.mkdir(parents=True, exist_ok=True)
            found_at.write_bytes(content)
        return found_at

    def move(self, source: object, destination: object) -> None:
        """Move a file, or a folder with all that is in it.

        Raises:
            ApiError: 404 there is no source, or no folder to move it to; 400 something is there.
        """
        found_at, target = self.found(source), self.on_disk(destination)
        with self._lock:
            if target.exists():
                raise exists(f"A file or directory already exists at the input path {destination}.")
            if not target.parent.is_dir():
                raise missing(f"No file or directory exists on path {target.parent.name}.")
            if found_at == self.root or found_at in target.parents:
                raise invalid(f"{source} cannot be moved into itself.")
            found_at.rename(target)

    def open(self, found_at: Path) -> int:
        number = next(self._numbers)
        self._handles[number] = found_at
        return number

    def handle(self, number: object) -> Path:
        if number not in self._handles:
            raise missing(f"No stream exists for handle {number}.")
        return self._handles[int(str(number))]

    def close(self, number: object) -> None:
        self.handle(number)
        del self._handles[int(str(number))]

    def describe(self, found_at: Path) -> dict[str, Any]:
        about = found_at.stat()
        return {"path": f"/{found_at.relative_to(self.root)}".replace("/.", "/"),
                "is_dir": found_at.is_dir(), "file_size": 0 if found_at.is_dir() else about.st_size,
                "modification_time": int(about.st_mtime * 1000)}


def block(body: dict[str, Any], key: str) -> bytes:
    """The bytes of a block.

    Raises:
        ApiError: 400, over 1 MB or not base64.
    """
    try:
        content = base64.b64decode(body.get(key, ""), validate=True)
    except binascii.Error:
        raise invalid(f"{key} is not valid base64.") from None
    if len(content) > BLOCK:
        raise ApiError(400, "MAX_BLOCK_SIZE_EXCEEDED",
                       f"The size of {key} is {len(content)} bytes; at most 1 MB is allowed.")
    return content


def routes(dbfs: Dbfs) -> APIRouter:
    api = APIRouter(prefix="/api/2.0/dbfs")

    @api.post("/put")
    def put(user: Writer, body: Body) -> dict[str, str]:
        check_fields("dbfs/put", body, {"path": str, "contents": str, "overwrite": bool})
        dbfs.create(body.get("path"), block(body, "contents"), bool(body.get("overwrite")))
        return {}

    @api.post("/create")
    def create(user: Writer, body: Body) -> dict[str, int]:
        check_fields("dbfs/create", body, {"path": str, "overwrite": bool})
        return {"handle": dbfs.open(dbfs.create(body.get("path"), b"",
                                                bool(body.get("overwrite"))))}

    @api.post("/add-block")
    def add_block(user: Writer, body: Body) -> dict[str, str]:
        content = block(body, "data")
        with dbfs.handle(body.get("handle")).open("ab") as file:
            file.write(content)
        return {}

    @api.post("/close")
    def close(user: Writer, body: Body) -> dict[str, str]:
        dbfs.close(body.get("handle"))
        return {}

    @api.get("/read")
    def read(user: Reader, path: str, offset: int = 0, length: int = BLOCK // 2
             ) -> dict[str, Any]:
        if length > BLOCK:
            raise ApiError(400, "MAX_READ_SIZE_EXCEEDED", f"length {length} exceeds 1 MB.")
        found_at = dbfs.found(path)
        if found_at.is_dir():
            raise invalid(f"{path} is a directory.")
        with found_at.open("rb") as file:
            file.seek(offset)
            content = file.read(length)
        return {"bytes_read": len(content), "data": base64.b64encode(content).decode()}

    @api.get("/get-status")
    def status(user: Reader, path: str) -> dict[str, Any]:
        return dbfs.describe(dbfs.found(path))

    @api.get("/list")
    def listed(user: Reader, path: str) -> dict[str, Any]:
        found_at = dbfs.found(path)
        inside = sorted(found_at.iterdir()) if found_at.is_dir() else [found_at]
        return {"files": [dbfs.describe(child) for child in inside]}

    @api.post("/mkdirs")
    def mkdirs(user: Writer, body: Body) -> dict[str, str]:
        try:
            dbfs.on_disk(body.get("path")).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise exists(f"A file is in the way of {body.get('path')}.") from None
        return {}

    @api.post("/move")
    def move(user: Writer, body: Body) -> dict[str, str]:
        check_fields("dbfs/move", body, {"source_path": str, "destination_path": str})
        dbfs.move(body.get("source_path"), body.get("destination_path"))
        return {}

    @api.post("/delete")
    def delete(user: Writer, body: Body) -> dict[str, str]:
        check_fields("dbfs/delete", body, {"path": str, "recursive": bool})
        found_at = dbfs.on_disk(body.get("path"))
        if found_at.is_dir() and any(found_at.iterdir()) and not body.get("recursive"):
            raise ApiError(400, "IO_ERROR", f"{body.get('path')} is a non-empty directory.")
        if found_at.is_dir():
            shutil.rmtree(found_at)
        else:
            found_at.unlink(missing_ok=True)
        return {}

    return api
