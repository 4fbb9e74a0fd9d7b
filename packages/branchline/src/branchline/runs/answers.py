"""Turns refusals and failures of a tracking store into errors of one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from branchline.errors import BadInput, NotAllowed, Unreachable
from branchline.text import collapsed, without_credentials

__all__ = ["answered"]

REFUSED = ("PERMISSION_DENIED", "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED")
UNFIT = ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS",
         "BAD_REQUEST", "INVALID_STATE", "NOT_FOUND", "CATALOG_DOES_NOT_EXIST",
         "SCHEMA_DOES_NOT_EXIST")


@contextmanager
def answered(doing: str) -> Iterator[None]:
    """Turn errors of the tracking store into one line that starts with `doing`.

    Raises:
        NotAllowed, BadInput, Unreachable: by MLflow's error code.
    """
    from mlflow.exceptions import MlflowException
    try:
        yield
    except MlflowException as problem:
        line = without_credentials(f"{doing}: MLflow: {collapsed(problem)}")
        if problem.error_code in REFUSED:
            raise NotAllowed(line) from problem
        raise (BadInput if problem.error_code in UNFIT else Unreachable)(line) from problem
