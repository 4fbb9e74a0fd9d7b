"""Answers and errors as JSON: one key `error`, one line, never a traceback."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from branchline.errors import BadInput, PlatformError
from branchline.text import one_line

__all__ = ["add_handlers", "json_answer"]

LOG = logging.getLogger("uvicorn.error")


def json_answer(content: Any, status: int = 200, headers: dict[str, str] | None = None,
                ) -> Response:
    body = json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
    return Response(body, status, headers, media_type="application/json")


def add_handlers(app: FastAPI) -> None:
    """Let every error be an answer of one line."""
    app.add_exception_handler(BadInput, _unusable)
    app.add_exception_handler(PlatformError, _unavailable)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _unexpected)


async def _unusable(request: Request, problem: Exception) -> Response:
    return json_answer({"error": one_line(str(problem))}, 422)


async def _unavailable(request: Request, problem: Exception) -> Response:
    return json_answer({"error": one_line(str(problem))}, 503, {"retry-after": "1"})


async def _refused(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    text = problem.detail
    if text in ("Not Found", "Method Not Allowed"):
        text = (f"{request.method} {one_line(request.url.path)}: there is no such route; "
                "/docs lists them.")
    return json_answer({"error": text}, problem.status_code, dict(problem.headers or {}))


async def _unexpected(request: Request, problem: Exception) -> Response:
    """The server's log has the traceback: uvicorn prints it."""
    return json_answer({"error": "the service failed; its log says why."}, 500)
