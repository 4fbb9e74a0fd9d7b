"""Posts an alert to a webhook, with a time limit and retries; its URL is never told."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any

from branchline.errors import BadInput, Unreachable

__all__ = ["post", "webhook_url"]

PAUSES = (0.5, 2.0)  # seconds before the second and the third attempt
SECONDS = 10.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET, whose success means nothing."""

    def redirect_request(self, *_: Any) -> None:
        return None


def webhook_url(variable: str, environment: Mapping[str, str]) -> str:
    """The URL in the environment variable.

    Raises:
        BadInput: it has none there, or something else; the text does not show it.
    """
    url = environment.get(variable, "")
    if not url.startswith(("http://", "https://")):
        found = "something else" if url else "nothing"
        raise BadInput(f"webhook: the environment variable {variable} has {found}; expected the "
                       "URL, https://...")
    return url


def post(url: str, content: Mapping[str, Any], seconds: float = SECONDS,
         pauses: Sequence[float] = PAUSES) -> None:
    """Post it as JSON; an answer of 5xx or 429, or none, is retried after each of the pauses.

    Raises:
        Unreachable: it was not accepted; the text has the last reason, not the URL.
    """
    opener = urllib.request.build_opener(_NoRedirect)
    for pause in (*pauses, None):
        reason, again = _attempt(opener, url, json.dumps(content).encode(), seconds)
        if not reason:
            return
        if pause is None or not again:
            raise Unreachable(f"webhook: did not accept an alert: {reason}; it is sent again "
                              "with the next evaluation.")
        time.sleep(pause)


def _attempt(opener: urllib.request.OpenerDirector, url: str, body: bytes,
             seconds: float) -> tuple[str, bool]:
    """Why it failed, "" if it did not, and whether another attempt may help."""
    try:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with opener.open(request, timeout=seconds):
            return "", False
    except urllib.error.HTTPError as refused:
        return f"status {refused.code}", refused.code >= 500 or refused.code == 429
    except (OSError, ValueError, HTTPException) as problem:  # its text may have the URL
        reason = getattr(problem, "reason", problem)
        return getattr(reason, "strerror", None) or type(reason).__name__, True
