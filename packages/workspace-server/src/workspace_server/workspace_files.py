"""The Workspace API: import, export, list, mkdirs and delete of nodes in the tree."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from werkzeug.formparser import parse_form_data

from workspace_server.errors import ApiError, invalid, missing, not_emulated
from workspace_server.fields import check_fields
from workspace_server.identity import Body, Reader, Writer, json_body
from workspace_server.notebooks import arrived, by_content, exported, is_jupyter
from workspace_server.tree import Tree, clean

LARGEST = 10 * 2**20
SUFFIXES = {"PYTHON": "py", "R": "r", "SCALA": "scala", "SQL": "sql"}


async def form_or_json(request: Request) -> dict[str, Any]:
    """An import's fields; `content` is bytes, however it was sent."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        body = await json_body(request)
        check_fields("workspace/import", body, {
            "path": str, "content": str, "format": str, "language": str, "overwrite": bool})
        try:
            content = base64.b64decode(body.get("content", ""), validate=True)
        except binascii.Error:
            raise invalid("content is not valid base64.") from None
        return {**body, "content": content, "overwrite": bool(body.get("overwrite"))}
    sent = await request.body()
    _, form, files = parse_form_data({
        "REQUEST_METHOD": "POST", "CONTENT_TYPE": request.headers["content-type"],
        "CONTENT_LENGTH": str(len(sent)), "wsgi.input": io.BytesIO(sent)})
    return {**form.to_dict(), "content": files["content"].read() if "content" in files else b"",
            "overwrite": form.get("overwrite") == "true"}


def store(tree: Tree, body: dict[str, Any]) -> None:
    """Import in each format.

    Raises:
        ApiError: too large, no language, or the tree refuses it.
    """
    path, content = clean(body.get("path")), body["content"]
    if len(content) > LARGEST:
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED",
                       f"File size imported is ({len(content)} bytes), exceeded max size "
                       f"({LARGEST} bytes)")
    made = arrived(path, content, body.get("format") or "SOURCE", body.get("language") or "")
    tree.write(made.path, content, made.kind, made.language, body["overwrite"])


def routes(tree: Tree, forget: Callable[[int], None]) -> APIRouter:
    """`forget` is called with each experiment whose node was deleted."""
    api = APIRouter()
    base = "/api/2.0/workspace"

    def described(path: str, export_info: bool) -> dict[str, Any]:
        about = tree.describe(path)
        if not export_info or about["object_type"] != "NOTEBOOK":
            return about
        jupyter = is_jupyter(tree.on_disk(path).read_bytes())
        return {**about, "repos_export_format": "JUPYTER" if jupyter else "SOURCE"}

    @api.post(base + "/import")
    def import_(user: Writer, body: Annotated[dict[str, Any], Depends(form_or_json)]
                ) -> dict[str, str]:
        store(tree, body)
        return {}

    @api.post("/api/2.0/workspace-files/import-file/{path:path}")
    async def import_file(path: str, request: Request, user: Writer, overwrite: bool = False
                          ) -> dict[str, str]:
        content = await request.body()
        made = by_content(clean("/" + path), content)
        if tree.type_of(made.path) and not overwrite:
            raise ApiError(409, "ALREADY_EXISTS", f"Path ({made.path}) already exists.")
        tree.write(made.path, content, made.kind, made.language, overwrite)
        return {}

    @api.get("/api/2.0/workspace-files/{path:path}")
    def content_of_file(path: str, user: Reader) -> Response:
        cleaned = clean("/" + path)
        if tree.type_of(cleaned) not in ("FILE", "NOTEBOOK"):
            raise missing(f"Path ({cleaned}) doesn't exist.")
        return Response(tree.on_disk(cleaned).read_bytes(), media_type="application/octet-stream")

    @api.get(base + "/get-status")
    def status(user: Reader, path: str = "", return_export_info: bool = False) -> dict[str, Any]:
        return described(clean(path), return_export_info)

    @api.get(base + "/list")
    def listed(user: Reader, path: str = "", return_export_info: bool = False) -> dict[str, Any]:
        folder = clean(path)
        about = described(folder, return_export_info)
        if about["object_type"] != "DIRECTORY":
            return {"objects": [about]}
        return {"objects": [described(child, return_export_info)
                            for child in tree.children(folder)]}

    @api.post(base + "/mkdirs")
    def mkdirs(user: Writer, body: Body) -> dict[str, str]:
        check_fields("workspace/mkdirs", body, {"path": str})
        tree.make_folders(clean(body.get("path")))
        return {}

    @api.post(base + "/delete")
    def delete(user: Writer, body: Body) -> dict[str, str]:
        check_fields("workspace/delete", body, {"path": str, "recursive": bool})
        for experiment in tree.remove(clean(body.get("path")), bool(body.get("recursive"))):
            forget(experiment)
        return {}

    @api.get(base + "/export", response_model=None)
    def export(user: Reader, path: str = "", direct_download: bool = False, format: str = ""
               ) -> Response | dict[str, str]:
        cleaned = clean(path)
        if tree.type_of(cleaned) is None:
            raise missing(f"Path ({cleaned}) doesn't exist.")
        if tree.type_of(cleaned) not in ("FILE", "NOTEBOOK"):
            raise not_emulated(f"workspace/export of a {tree.type_of(cleaned)}")
        language = tree.describe(cleaned).get("language", "")
        content = exported(tree.on_disk(cleaned).read_bytes(), language, format)
        if len(content) > LARGEST:
            raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"{cleaned} exceeds {LARGEST} bytes")
        if direct_download:
            return Response(content, media_type="application/octet-stream")
        return {"content": base64.b64encode(content).decode(),
                "file_type": SUFFIXES.get(language) or cleaned.rpartition(".")[2]}

    return api
