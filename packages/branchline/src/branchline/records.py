"""JSON whose bytes tell its content: sorted keys, so that a checksum of it has a meaning."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from branchline.errors import BadInput
from branchline.wheels.destinations import Destination

__all__ = ["encoded", "read_object", "sha256"]


def encoded(value: Any) -> bytes:
    """The value as canonical JSON, in UTF-8, with a newline at its end."""
    return (json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_object(path: str, place: Destination) -> dict[str, Any] | None:
    """The JSON object in a destination's file, None where there is no file.

    Raises:
        BadInput: the file holds something else.
    """
    content = place.read(path)
    if content is None:
        return None
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput(f"{place.reference(path)}: is no JSON object; expected a file that only "
                       "publish.py and deploy.py write.")
    return found
