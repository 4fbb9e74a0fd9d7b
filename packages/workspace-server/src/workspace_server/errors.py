"""Errors as the service answers them: a status and a JSON body with `error_code` and `message`."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
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
    return ApiError(501, "NOT_IMPLEMENTED", f"{what}: the workspace server does not have it.")


def answer_errors(app: FastAPI) -> None:
    """Turn every failure into the service's shape.

    An API address that no part answers is not implemented here; any other address is not found.
    """
    @app.exception_handler(ApiError)
    def known(request: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body, error.status)

    @app.exception_handler(404)
    @app.exception_handler(405)
    def no_such_endpoint(request: Request, error: Exception) -> JSONResponse:
        address = f"{request.method} {request.url.path}"
        if request.url.path.startswith("/api/"):
            return known(request, not_emulated(address))
        return known(request, ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{address}'"))

    @app.exception_handler(RequestValidationError)
    def bad_query(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return known(request, invalid(f"{request.url.path}: {first['loc'][-1]}: {first['msg']}."))

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> JSONResponse:
        return known(request, ApiError(500, "INTERNAL_ERROR",
                                       f"The workspace server failed: {error!r}"))
