"""Waits for a workspace's first answer; the SDK would wait for minutes in silence."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from configparser import ConfigParser, Error
from pathlib import Path

import requests

from branchline.errors import Unreachable

__all__ = ["host_of", "reach"]

FIRST_ANSWER_SECONDS = 3
SAID_EVERY_SECONDS = 15
PROFILES = "~/.databrickscfg"
REASONS = ("Connection refused", "Failed to resolve", "Name or service not known",
           "No route to host", "Network is unreachable", "CERTIFICATE_VERIFY_FAILED")


def host_of(host: str | None, profile: str | None, environment: Mapping[str, str]) -> str | None:
    """The workspace's address that sign-in will use, with a scheme; None if unknown.

    A target's own host or profile wins over the variables, as in databricks-sdk.
    """
    found = host
    if not found and not profile:
        found = environment.get("DATABRICKS_HOST")
    if not found:
        name = profile or environment.get("DATABRICKS_CONFIG_PROFILE") or "DEFAULT"
        found = _of_profile(name, environment.get("DATABRICKS_CONFIG_FILE") or PROFILES)
    if not found:
        return None
    return found if "://" in found else f"https://{found}"


def _of_profile(name: str, file: str) -> str | None:
    profiles = ConfigParser(interpolation=None)
    try:
        profiles.read(Path(os.path.expanduser(file)), encoding="utf-8")
        return profiles.get(name, "host", fallback=None)
    except (Error, OSError, UnicodeDecodeError):
        return None  # the SDK reports what is wrong with the file


def reach(host: str, say: Callable[[str], None], give_up: float) -> None:
    """Return once the host answers at all; after 3 seconds, print that it is waiting.

    The SDK's own calls would be silent for minutes if nothing answers.

    Args:
        give_up: seconds.

    Raises:
        Unreachable: it has not answered in all that time.
    """
    until, said_at = time.monotonic() + give_up, float("-inf")
    while True:
        try:
            requests.head(host, timeout=FIRST_ANSWER_SECONDS, allow_redirects=False)
            return
        except requests.RequestException as problem:
            left = until - time.monotonic()
            if left <= 0:
                raise Unreachable(f"{host}: does not answer for {give_up:.0f} seconds: "
                                  f"{_reason(problem)}. Check the address in targets.yml, the "
                                  "profile or DATABRICKS_HOST, and the network.") from None
            if time.monotonic() > said_at + SAID_EVERY_SECONDS:
                say(f"{host} does not answer; retrying for {left:.0f} seconds")
                said_at = time.monotonic()
            time.sleep(min(1.0, left))


def _reason(problem: requests.RequestException) -> str:
    if isinstance(problem, requests.Timeout):
        return "no answer"
    text = str(problem)
    return next((words for words in REASONS if words in text), type(problem).__name__)
