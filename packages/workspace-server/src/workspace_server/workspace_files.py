"""The Workspace API: import, export, list, mkdirs and delete of nodes in the tree."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from werkzeug.formparser import parse_form_data

from workspace_server.errors import ApiError, invalid, missing
from workspace_server.identity import Body, Reader, Writer, json_body
from workspace_server.tree import Tree, clean

LARGEST = 10 * 2**20
LANGUAGES = {".py": "PYTHON", ".r": "R", ".scala": "SCALA", ".sql": "SQL"}
HEADER = b"# Databricks notebook source"


async def form_or_json(request: Request) -> dict[str, Any]:
    """An import's fields; `content` is bytes, whichever way it was sent."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        body = await json_body(request)
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
    """What import does with each format.

    Raises:
        ApiError: too large, no language, or the tree refuses it.
    """
    path, content = clean(body.get("path")), body["content"]
    if len(content) > LARGEST:
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED",
                       f"File size imported is ({len(content)} bytes), exceeded max size "
                       f"({LARGEST} bytes)")
    kind, language = "FILE", ""
    format_ = body.get("format") or "SOURCE"
    if format_ == "SOURCE":
        kind, language = "NOTEBOOK", body.get("language", "")
        if not language:
            raise invalid("The zip archive contains no items.")
    elif format_ == "AUTO":
        path, kind, language = _as_auto(path, content)
    elif format_ != "RAW":
        raise invalid(f"Unsupported import format {format_}.")
    tree.write(path, content, kind, language, body["overwrite"])


def _as_auto(path: str, content: bytes) -> tuple[str, str, str]:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix == ".ipynb":
        return path[:-len(suffix)], "NOTEBOOK", "PYTHON"
    if suffix in LANGUAGES and content.split(b"\n", 1)[0].strip() == HEADER:
        return path[:-len(suffix)], "NOTEBOOK", LANGUAGES[suffix]
    return path, "FILE", ""


def routes(tree: Tree, forget: Callable[[int], None]) -> APIRouter:
    """`forget` is called with each experiment whose node was deleted."""
    api = APIRouter()
    base = "/api/2.0/workspace"

    @api.post(base + "/import")
    def import_(user: Writer, body: Annotated[dict[str, Any], Depends(form_or_json)]
                ) -> dict[str, str]:
        store(tree, body)
        return {}

    @api.post("/api/2.0/workspace-files/import-file/{path:path}")
    async def import_file(path: str, request: Request, user: Writer) -> dict[str, str]:
        place = clean("/" + path)
        overwrite = request.query_params.get("overwrite") == "true"
        if tree.type_of(place) and not overwrite:
            raise ApiError(409, "ALREADY_EXISTS", f"Path ({place}) already exists.")
        tree.write(place, await request.body(), "FILE", "", overwrite)
        return {}

    @api.get(base + "/get-status")
    def status(user: Reader, path: str = "") -> dict[str, Any]:
        return tree.describe(clean(path))

    @api.get(base + "/list")
    def listed(user: Reader, path: str = "") -> dict[str, Any]:
        folder = clean(path)
        about = tree.describe(folder)
        if about["object_type"] != "DIRECTORY":
            return {"objects": [about]}
        return {"objects": [tree.describe(child) for child in tree.children(folder)]}

    @api.post(base + "/mkdirs")
    def mkdirs(user: Writer, body: Body) -> dict[str, str]:
        tree.make_folders(clean(body.get("path")))
        return {}

    @api.post(base + "/delete")
    def delete(user: Writer, body: Body) -> dict[str, str]:
        for experiment in tree.remove(clean(body.get("path")), bool(body.get("recursive"))):
            forget(experiment)
        return {}

    @api.get(base + "/export", response_model=None)
    def export(user: Reader, path: str = "", direct_download: bool = False
               ) -> Response | dict[str, str]:
        place = clean(path)
        if tree.type_of(place) is None:
            raise missing(f"Path ({place}) doesn't exist.")
        if tree.type_of(place) not in ("FILE", "NOTEBOOK"):
            raise invalid(f"{place} is a {tree.type_of(place)}; this emulator exports files only.")
        content = tree.on_disk(place).read_bytes()
        if len(content) > LARGEST:
            raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"{place} exceeds {LARGEST} bytes")
        if direct_download:
            return Response(content, media_type="application/octet-stream")
        return {"content": base64.b64encode(content).decode()}

    return api
