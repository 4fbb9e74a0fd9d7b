"""The DBFS API with its limits: 1 MB a block, handles to close."""

from __future__ import annotations

import base64
import binascii
import shutil
from typing import Any

from fastapi import APIRouter

from workspace_server.dbfs import Dbfs
from workspace_server.errors import ApiError, exists, invalid
from workspace_server.fields import check_fields
from workspace_server.identity import Body, Reader, Writer

BLOCK = 2**20


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
