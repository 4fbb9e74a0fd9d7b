"""Checks the fields of a request: what this server does not handle is refused, never ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from workspace_server.errors import ApiError, not_emulated

Kinds = Mapping[str, type | tuple[type, ...]]
EMPTY: tuple[object, ...] = (None, "", [], {}, False, 0)
EMPTY_IN_QUERY = ("", "0", "false")


def check_fields(where: str, given: Any, done: Kinds, kept: str = "") -> None:
    """Check an object of a request; `where` is its endpoint and position in the body.

    `done` are the fields that have an effect, with their types; `kept` are those without one here
    (or on Databricks), which are only stored and returned. Empty values have no effect.

    Raises:
        ApiError: 501, a field is neither; 400 MALFORMED_REQUEST, a value of another type.
    """
    if not isinstance(given, dict):
        raise malformed(f"{where}: expected an object, found {shown(given)}.")
    for name, value in given.items():
        if value in EMPTY or name in kept.split():
            continue
        if name not in done:
            raise not_emulated(f"{where}: field {name}")
        if not isinstance(value, done[name]) or _is_bool_for_number(value, done[name]):
            raise malformed(f"{where}: field {name}: a value of another type is expected, found "
                            f"{shown(value)}.")


def _is_bool_for_number(value: object, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, bool) and kind is int


def malformed(message: str) -> ApiError:
    return ApiError(400, "MALFORMED_REQUEST", f"Could not parse request object: {message}")


def shown(value: object) -> str:
    """A value as a message shows it: its first 50 characters."""
    text = repr(value)
    return text if len(text) <= 50 else f"{text[:50]}…"


def objects(where: str, given: dict[str, Any], name: str, key: str) -> dict[str, dict[str, Any]]:
    """The objects of a list, such as tasks, by their `key`.

    Raises:
        ApiError: 400, not a list of objects, or a key that is missing or occurs twice.
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in given.get(name) or []:
        if not isinstance(entry, dict) or not isinstance(entry.get(key), str):
            raise malformed(f"{where}: each of {name} must be an object with {key}.")
        if entry[key] in found:
            raise ApiError(400, "INVALID_PARAMETER_VALUE",
                           f"{where}: {key} {entry[key]} is in {name} twice.")
        found[entry[key]] = entry
    return found


def check_query(request: Request) -> None:
    """Refuse a query parameter that the endpoint does not declare; for a router's dependencies.

    Raises:
        ApiError: 501.
    """
    route = request.scope["route"]
    known = {parameter.alias for parameter in route.dependant.query_params}
    for name, value in request.query_params.items():
        if name not in known and value.lower() not in EMPTY_IN_QUERY:
            raise not_emulated(f"{request.method} {route.path}: query parameter {name}")
