"""The Files API: files and folders in volumes, and MLflow's artifacts, which are kept likewise."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from workspace_server.errors import ApiError, invalid, not_emulated
from workspace_server.identity import Reader, Writer

ARTIFACTS = "WorkspaceInternal/Mlflow/Artifacts/"


class Volumes:
    """Where paths of the Files API lie on this machine's disk."""

    def __init__(self, root: Path, artifacts: Path) -> None:
        self.root, self.artifacts = root, artifacts
        root.mkdir(parents=True, exist_ok=True)
        artifacts.mkdir(parents=True, exist_ok=True)

    def on_disk(self, path: str) -> Path:
        """The file on disk of /Volumes/<catalog>/<schema>/<volume>/…, or of an artifact.

        Raises:
            ApiError: 400 not such a path, 404 no such volume.
        """
        parts = [part for part in path.split("/") if part]
        if ".." in parts:
            raise invalid(f"Path /{path} must not contain '..'.")
        if path.startswith(ARTIFACTS):
            return self.artifacts.joinpath(*parts[3:])
        if parts[:1] != ["Volumes"] or len(parts) < 4:
            raise invalid(f"Invalid path: /{path}; it must be below /Volumes/<catalog>/<schema>/"
                          "<volume>.")
        if not self.root.joinpath(*parts[1:4]).is_dir():
            raise not_found(f"Volume '{'.'.join(parts[1:4])}' does not exist.")
        return self.root.joinpath(*parts[1:])


def not_found(message: str) -> ApiError:
    return ApiError(404, "NOT_FOUND", message)


async def save(content: AsyncIterator[bytes], file: Path, overwrite: bool) -> None:
    """Write beside and put in place whole, so that two writers never mix.

    Raises:
        ApiError: 409, there is a folder, or a file that may not be replaced.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ApiError(409, "ALREADY_EXISTS", "A parent of the file is a file.") from None
    handle, beside = tempfile.mkstemp(dir=file.parent, prefix=".arriving-")
    try:
        with os.fdopen(handle, "wb") as stream:
            async for chunk in content:
                stream.write(chunk)
        os.chmod(beside, 0o644)
        if overwrite and not file.is_dir():
            os.replace(beside, file)
        else:
            os.link(beside, file)
    except FileExistsError:
        raise ApiError(409, "ALREADY_EXISTS", "The file being created already exists.") from None
    finally:
        if os.path.exists(beside):
            os.unlink(beside)


def entries(path: str, folder: Path) -> list[dict[str, Any]]:
    """A folder's contents as DirectoryEntry, times in ms; files that still arrive are left out."""
    return [{"path": f"/{path.strip('/')}/{file.name}", "name": file.name,
             "is_directory": file.is_dir(), "last_modified": int(file.stat().st_mtime * 1000),
             **({} if file.is_dir() else {"file_size": file.stat().st_size})}
            for file in sorted(folder.iterdir()) if not file.name.startswith(".arriving-")]


def routes(volumes: Volumes) -> APIRouter:
    api = APIRouter(prefix="/api/2.0/fs")

    @api.put("/files/{path:path}")
    async def put(path: str, request: Request, user: Writer, overwrite: bool = True) -> Response:
        await save(request.stream(), volumes.on_disk(path), overwrite)
        return Response(status_code=204)

    @api.api_route("/files/{path:path}", methods=["GET", "HEAD"])
    def get(path: str, user: Reader) -> Response:
        file = volumes.on_disk(path)
        if not file.is_file():
            raise not_found(f"The file being accessed is not found: /{path}")
        return FileResponse(file, media_type="application/octet-stream")

    @api.delete("/files/{path:path}")
    def delete(path: str, user: Writer) -> Response:
        file = volumes.on_disk(path)
        if not file.is_file():
            raise not_found(f"The file being accessed is not found: /{path}")
        file.unlink()
        return Response(status_code=204)

    @api.put("/directories/{path:path}")
    def make(path: str, user: Writer) -> Response:
        try:
            volumes.on_disk(path).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise ApiError(409, "ALREADY_EXISTS", f"A file is in the way of /{path}") from None
        return Response(status_code=204)

    @api.api_route("/directories/{path:path}", methods=["GET", "HEAD"], response_model=None)
    def listed(path: str, user: Reader, page_size: int = 1000, page_token: str = "0"
               ) -> dict[str, Any]:
        folder = volumes.on_disk(path)
        if not folder.is_dir():
            raise not_found(f"The directory being accessed is not found: /{path}")
        found, first = entries(path, folder), int(page_token)
        last = first + min(page_size or 1000, 1000)
        return {"contents": found[first:last],
                **({"next_page_token": str(last)} if len(found) > last else {})}

    @api.delete("/directories/{path:path}")
    def remove(path: str, user: Writer) -> Response:
        folder = volumes.on_disk(path)
        if not folder.is_dir():
            raise not_found(f"The directory being accessed is not found: /{path}")
        if any(folder.iterdir()):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", "The directory is not empty.",
                           "FILES_API_DIRECTORY_IS_NOT_EMPTY")
        folder.rmdir()
        return Response(status_code=204)

    @api.post("/files/{path:path}")
    def start_in_parts(path: str, user: Writer, action: str = "", overwrite: bool = True
                       ) -> dict[str, Any]:
        if action != "initiate-upload":
            raise not_emulated(f"POST /api/2.0/fs/files with action {action}")
        volumes.on_disk(path)
        return {"multipart_upload": {"session_token": path}}

    @api.post("/create-{kind}")
    def signed_address(user: Reader, path: str = "", expire_time: str = "") -> None:
        """Refused as where storage is closed to clients; the SDK then uses the calls above."""
        raise ApiError(403, "PERMISSION_DENIED", "Presigned URLs API is not enabled",
                       "FILES_API_API_IS_NOT_ENABLED")

    return api
