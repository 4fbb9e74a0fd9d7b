"""Sign-in by federation: exchanges a CI's id token for a short-lived access token."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from workspace_server.faults import Faults
from workspace_server.identity import USERS

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
SECONDS = 3600
SHORT_SECONDS = 1
EXPIRED = ("AADSTS700024: Client assertion is not within its valid time range. Current time: "
           "2026-01-01T01:00:00Z, assertion valid from 2026-01-01T00:00:00Z, expiry time of "
           "assertion 2026-01-01T00:10:00Z.")


def routes(faults: Faults) -> APIRouter:
    """An id token is a user's name; only requests of the SDK's oidc methods are answered."""
    api = APIRouter(prefix="/oidc")

    @api.get("/.well-known/oauth-authorization-server")
    def endpoints(request: Request) -> dict[str, str]:
        base = f"{str(request.base_url).rstrip('/')}/oidc/v1"
        return {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"}

    @api.post("/v1/token")
    async def token(request: Request) -> Any:
        form = parse_qs((await request.body()).decode())
        user = USERS.get(form.get("subject_token", [""])[0])
        if form.get("grant_type") != [EXCHANGE]:
            return _refused("unsupported_grant_type", f"only {EXCHANGE} is done here")
        if user is None:
            return _refused("invalid_grant", "The id token is of no user of this workspace.")
        if faults.of_sign_in("assertion_expired"):
            return _refused("invalid_client", EXPIRED)
        short = faults.of_sign_in("short_token")
        return {"access_token": user.token, "token_type": "Bearer", "scope": "all-apis",
                "expires_in": SHORT_SECONDS if short else SECONDS}

    return api


def _refused(error: str, description: str) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": description}, 400)
