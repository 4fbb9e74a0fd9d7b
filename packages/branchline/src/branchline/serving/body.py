"""A request's body: read within its limits, and parsed as JSON that means one thing only."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from branchline.errors import BadInput
from branchline.serving.settings import Limits
from branchline.serving.values import repeated, shown

__all__ = ["media_type", "parsed", "read"]

STRING_OR_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


async def read(request: Request, limits: Limits) -> bytes:
    """The body.

    Raises:
        HTTPException: it is too large (413), compressed (415), or too slow (408).
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise HTTPException(415, f"Content-Encoding: found {shown(encoding)}, expected none; send "
                            "the body uncompressed.")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and (len(length) > 18 or int(length) > limits.body_bytes):
        _too_large(limits)
    try:
        async with asyncio.timeout(limits.seconds):
            return await _received(request, limits)
    except TimeoutError:
        raise HTTPException(408, f"body: did not arrive within {limits.seconds:g} seconds.",
                            {"connection": "close"}) from None
    except ClientDisconnect:
        raise HTTPException(400, "body: the client hung up.") from None


async def _received(request: Request, limits: Limits) -> bytes:
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > limits.body_bytes:
            _too_large(limits)
        parts.append(part)
    return b"".join(parts)


def _too_large(limits: Limits) -> NoReturn:
    raise HTTPException(413, f"body: expected at most {limits.body_bytes:,} bytes; send fewer rows "
                        "a request.", {"connection": "close"})


def media_type(request: Request, expected: tuple[str, ...]) -> str:
    """The media type of the body, one of those expected.

    Raises:
        HTTPException: it is another one (415).
    """
    given = request.headers.get("content-type", "")
    found = given.partition(";")[0].strip().lower()
    if found not in expected:
        raise HTTPException(415, f"Content-Type: found {shown(given)}, expected "
                            f"{' or '.join(expected)}.")
    return found


def parsed(body: bytes, limits: Limits) -> dict[str, Any]:
    """The JSON object that the body is.

    Raises:
        BadInput: it is something else, is nested too deep, names a key twice, or holds NaN.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BadInput(f"body: byte {problem.start} is not UTF-8, which JSON is in."
                       ) from None
    _check_depth(body, limits.depth)
    try:
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as problem:
        raise BadInput(f"body: is not JSON: {problem.msg} at line {problem.lineno}, column "
                       f"{problem.colno}.") from None
    except ValueError:  # Python's limit of an integer's digits
        raise BadInput("body: holds an integer of thousands of digits; expected numbers of at most "
                       "1.8e308.") from None
    if not isinstance(found, dict):
        raise BadInput(f"body: found {shown(found)}, expected a JSON object.")
    return found


def _check_depth(body: bytes, most: int) -> None:
    if body.count(b"[") + body.count(b"{") <= most:
        return
    depth = 0
    for match in STRING_OR_BRACKET.finditer(body):
        first = body[match.start()]
        if first in b"[{":
            depth += 1
            if depth > most:
                raise BadInput(f"body: is nested deeper than {most}; expected at most {most} "
                               "brackets within each other.")
        elif first in b"]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = repeated([name for name, _ in pairs])
        raise BadInput(f"body: names {shown(twice)} twice in one object; expected it once.")
    return found


def _no_number(text: str) -> NoReturn:
    raise BadInput(f"body: found {text}, which is not JSON; expected finite numbers, or null.")
