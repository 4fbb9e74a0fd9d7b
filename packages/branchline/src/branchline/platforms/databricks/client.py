"""A signed-in client of a workspace, and the platform's refusals as one line."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import requests
from databricks.sdk.config import Config
from databricks.sdk.errors import (DeadlineExceeded, InternalError, NotImplemented,
                                   PermissionDenied, TemporarilyUnavailable, TooManyRequests,
                                   Unauthenticated)
from databricks.sdk.errors.base import DatabricksError

from branchline.errors import (BadInput, NotAllowed, NotSignedIn, PlatformError, Unreachable)
from branchline.platforms.databricks.workspace import Workspace
from branchline.text import collapsed, without_credentials

__all__ = ["connect", "translated"]

RETRY_SECONDS = 60
SIGN_IN = "Sign in with `databricks auth login`, or set DATABRICKS_HOST and a credential."
SETTINGS = re.compile(r"\.? *\b(Config: \w+=|Env: [A-Z][A-Z_]+(, [A-Z_]+)*$).*")

PASSING = (requests.RequestException, TimeoutError, InternalError, TemporarilyUnavailable,
           DeadlineExceeded, TooManyRequests)


def connect(profile: str | None = None, host: str | None = None) -> Workspace:
    """A client signed in by databricks-sdk's unified authentication.

    `profile` is one of ~/.databrickscfg, `host` a workspace's address; with neither, the
    environment's variables decide (DATABRICKS_HOST and others).

    Raises:
        NotSignedIn: no sign-in method of the SDK finds what it needs.
        Unreachable: the host does not answer.
    """
    # Each client would warn about a host that has no "well-known" page.
    logging.getLogger("databricks.sdk").setLevel(logging.ERROR)
    with translated("sign-in"):
        return Workspace(Config(
            profile=profile, host=host, product="branchline", product_version=version("branchline"),
            retry_timeout_seconds=RETRY_SECONDS))


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn the platform's failures in the block into one line that starts with `doing`.

    Raises:
        NotSignedIn: no credential is found, or it cannot be renewed.
        NotAllowed: not permitted.
        Unreachable: no answer, or a failure of the service itself.
        PlatformError: the workspace does not have what is asked of it.
        BadInput: anything else that it refused.
    """
    try:
        yield
    except Unauthenticated as problem:
        raise NotSignedIn(f"{doing}: not signed in: {_text(problem)} {SIGN_IN}") from problem
    except PermissionDenied as problem:
        raise NotAllowed(f"{doing}: not permitted: {_text(problem)} Ask for the permission, or "
                         "sign in as somebody who has it (`doctor.py` lists what is "
                         "needed).") from problem
    except PASSING as problem:
        raise Unreachable(f"{doing}: the workspace does not answer properly: {_text(problem)} "
                          "Try again; nothing is started twice.") from problem
    except NotImplemented as problem:
        raise PlatformError(f"{doing}: the workspace cannot do this: {_text(problem)}") from problem
    except DatabricksError as problem:
        if type(problem) is DatabricksError:  # a status that the SDK has no class for, such as 502
            raise Unreachable(f"{doing}: {_text(problem)} Try again.") from problem
        raise BadInput(f"{doing}: refused: {_text(problem)}") from problem
    except Exception as problem:
        if not _of_sign_in(problem):
            raise
        raise NotSignedIn(f"{doing}: {_text(problem)} {SIGN_IN}") from problem


def _of_sign_in(problem: Exception) -> bool:
    """How the SDK says that no credential was found, or that one cannot be renewed."""
    plain = type(problem) in (Exception, OSError, RuntimeError) and "token" in str(problem)
    return plain or isinstance(problem, ValueError)


def _text(problem: BaseException) -> str:
    """The SDK's message without its tail, which lists the settings that it found."""
    text = SETTINGS.sub("", collapsed(problem)) or type(problem).__name__
    text = without_credentials(text)
    return text if text.endswith(".") else f"{text}."
