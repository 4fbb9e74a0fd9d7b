"""Errors as the service answers them: a status and a JSON body with `error_code` and `message`."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse


class ApiError(Exception):
    """Ends a call with this status and error code; `reason` goes into `details` as an ErrorInfo."""

    def __init__(self, status: int, code: str | int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error_code": code, "message": message}
        if reason:
            self.body["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
                                     "reason": reason, "domain": "filesystem.databricks.com"}]


def invalid(message: str) -> ApiError:
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def missing(message: str) -> ApiError:
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def exists(message: str) -> ApiError:
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", message)


def denied(message: str) -> ApiError:
    return ApiError(403, "PERMISSION_DENIED", message)


def not_emulated(what: str) -> ApiError:
    return ApiError(501, "NOT_IMPLEMENTED", f"{what}: this emulator does not have it.")


def answer_errors(app: FastAPI) -> None:
    """Turn an ApiError, and an address that nobody answers, into the service's shape."""
    @app.exception_handler(ApiError)
    def known(request: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body, error.status)

    @app.exception_handler(404)
    def no_such_endpoint(request: Request, error: Exception) -> JSONResponse:
        message = f"No API found for '{request.method} {request.url.path}'"
        return JSONResponse({"error_code": "ENDPOINT_NOT_FOUND", "message": message}, 404)
