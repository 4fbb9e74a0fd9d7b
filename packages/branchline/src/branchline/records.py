"""Records: canonical JSON (equal content, equal bytes), with a format version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Protocol

from branchline.errors import BadInput

__all__ = ["Format", "Upgrade", "encoded", "now", "parsed", "read_object", "sha256"]

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


class Files(Protocol):
    """Files by path."""

    def reference(self, path: str) -> str: ...

    def read(self, path: str) -> bytes | None: ...


@dataclass(frozen=True)
class Format:
    """A kind of record, its current version, and the upgrades of older ones.

    A record without `format` is version 1. `reader` is the distribution to upgrade for newer
    versions. `upgrades` are keyed by the version that they start from; each returns the content of
    the next version; a version without an upgrade is read as it is.
    """

    kind: str
    version: int
    upgrades: Mapping[int, Upgrade] | None = None
    reader: str = "branchline"

    def written(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The content with its format, `"format": "release/2"`."""
        return {"format": f"{self.kind}/{self.version}", **content}

    def read(self, content: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The content in the current version, without `format`; `where` names the file.

        Raises:
            BadInput: another kind of record, or a newer version.
        """
        given = str(content.get("format", f"{self.kind}/1"))
        kind, _, number = given.partition("/")
        if kind != self.kind or not number.isdecimal() or number == "0":
            raise BadInput(f"{where}: found format {given}, expected {self.kind}/{self.version}.")
        if int(number) > self.version:
            raise BadInput(f"{where}: found format {given}; this {self.reader} reads up to "
                           f"{self.kind}/{self.version}: upgrade {self.reader}.")
        found = {key: value for key, value in content.items() if key != "format"}
        for version in range(int(number), self.version):
            found = (self.upgrades or {}).get(version, dict)(found)
        return found


def encoded(value: Any) -> bytes:
    """The value as canonical JSON, in UTF-8, with a newline at its end."""
    return (json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def now() -> str:
    """The time of a record: ISO 8601 in UTC, with milliseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def parsed(content: bytes | str, where: str) -> dict[str, Any]:
    """The JSON object in a file's content; `where` names the file.

    Raises:
        BadInput: it holds something else.
    """
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput(f"{where}: is not a JSON object; expected a file that publish.py or "
                       "deploy.py wrote.")
    return found


def read_object(path: str, files: Files) -> dict[str, Any] | None:
    """The JSON object in a destination's file; None if there is no file.

    Raises:
        BadInput: the file holds something else.
    """
    content = files.read(path)
    return None if content is None else parsed(content, files.reference(path))
