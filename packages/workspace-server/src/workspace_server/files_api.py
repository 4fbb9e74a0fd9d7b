"""The Files API over volumes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from workspace_server.errors import ApiError, not_emulated
from workspace_server.identity import Reader, Writer
from workspace_server.volumes import Volumes, entries, not_found, save


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
        """Refused, as if storage were closed to clients; the SDK then uses the calls above."""
        raise ApiError(403, "PERMISSION_DENIED", "Presigned URLs API is not enabled",
                       "FILES_API_API_IS_NOT_ENABLED")

    return api
