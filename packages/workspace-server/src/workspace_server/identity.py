"""The callers: three users, their tokens, and the first requests of every client."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from workspace_server.errors import ApiError, denied

WORKSPACE_ID = "7405600000000001"


@dataclass(frozen=True)
class User:
    """A person or service principal; without write permission it can still read everything."""

    name: str
    id: str
    may_write: bool = True

    @property
    def token(self) -> str:
        return "dapi" + hashlib.sha256(self.name.encode()).hexdigest()[:32]


USERS = {user.name: user for user in (
    User("dev@example.com", "1001"),
    User("ci@example.com", "1002"),
    User("reader@example.com", "1003", may_write=False),
)}


_principals: dict[str, User] = {}


def principal(name: str) -> User:
    """A user; any other name becomes a service principal's when it is first used."""
    return USERS.get(name) or _principals.setdefault(name, User(name, f"2{len(_principals):03}"))


def user_of(headers: Mapping[str, str]) -> User | None:
    """The user whose token a request carries."""
    sent = headers.get("authorization", "").removeprefix("Bearer ")
    known = (*USERS.values(), *list(_principals.values()))
    return next((user for user in known if user.token == sent), None)


def reader(request: Request) -> User:
    """Any user.

    Raises:
        ApiError: 401 without a token, 403 with an unknown one.
    """
    found = user_of(request.headers)
    if found is None and "authorization" not in request.headers:
        raise ApiError(401, 401, "Credential was not sent or was of an unsupported type for this "
                                 "API.")
    if found is None:
        raise ApiError(403, 403, "Invalid access token.")
    return found


def writer(user: Annotated[User, Depends(reader)]) -> User:
    """A user who may change things.

    Raises:
        ApiError: 403 for any other user.
    """
    if not user.may_write:
        raise denied(f"User {user.name} does not have the permission for this operation.")
    return user


async def json_body(request: Request) -> dict[str, Any]:
    """The request's JSON object; an empty one if there is no body.

    Raises:
        ApiError: 400 for anything else.
    """
    try:
        body = await request.json() if await request.body() else {}
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(400, "MALFORMED_REQUEST", "Could not parse request object: expected JSON.")
    return body


Reader = Annotated[User, Depends(reader)]
Writer = Annotated[User, Depends(writer)]
Body = Annotated[dict[str, Any], Depends(json_body)]


def routes() -> APIRouter:
    api = APIRouter()

    @api.get("/.well-known/databricks-config")
    def discovery(request: Request) -> dict[str, str]:
        return {"oidc_endpoint": f"{str(request.base_url).rstrip('/')}/oidc",
                "workspace_id": WORKSPACE_ID}

    @api.get("/api/2.0/preview/scim/v2/Me")
    def me(user: Reader, response: Response) -> dict[str, Any]:
        response.headers["X-Databricks-Org-Id"] = WORKSPACE_ID
        return {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": user.id,
                "userName": user.name, "displayName": user.name.split("@")[0], "active": True,
                "emails": [{"value": user.name, "type": "work", "primary": True}]}

    return api
