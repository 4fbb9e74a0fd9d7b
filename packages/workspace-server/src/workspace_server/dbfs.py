"""The DBFS root: files, folders and handles; it may be disabled."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import Any

from workspace_server.errors import denied, exists, invalid, missing


class Dbfs:
    """The DBFS root below a folder; new workspaces have it disabled."""

    def __init__(self, root: Path, enabled: bool) -> None:
        self.root, self.enabled = root, enabled
        self._handles: dict[int, Path] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)

    def on_disk(self, path: object) -> Path:
        """The file on disk of a path, with or without `dbfs:`.

        Raises:
            ApiError: 403 the root is disabled, 400 not an absolute path.
        """
        text = str(path or "").removeprefix("dbfs:")
        if not text.startswith("/") or ".." in text.split("/"):
            raise invalid(f"Path must be absolute: {text}")
        if not self.enabled:
            raise denied(f"Public DBFS root is disabled. Access is denied on path: {text}")
        return self.root / text.strip("/")

    def found(self, path: object) -> Path:
        found_at = self.on_disk(path)
        if not found_at.exists():
            raise missing(f"No file or directory exists on path {path}.")
        return found_at

    def create(self, path: object, content: bytes, overwrite: bool) -> Path:
        """Write a file, and create its folders.

        Raises:
            ApiError: 400, it exists and may not be replaced.
        """
        found_at = self.on_disk(path)
        with self._lock:
            if found_at.is_dir() or (found_at.exists() and not overwrite):
                raise exists(f"A file or directory already exists at the input path {path}.")
            found_at.parent.mkdir(parents=True, exist_ok=True)
            found_at.write_bytes(content)
        return found_at

    def move(self, source: object, destination: object) -> None:
        """Move a file, or a folder with its content.

        Raises:
            ApiError: 404 there is no source or no target folder; 400 the target exists.
        """
        found_at, target = self.found(source), self.on_disk(destination)
        with self._lock:
            if target.exists():
                raise exists(f"A file or directory already exists at the input path {destination}.")
            if not target.parent.is_dir():
                raise missing(f"No file or directory exists on path {target.parent.name}.")
            if found_at == self.root or found_at in target.parents:
                raise invalid(f"{source} cannot be moved into itself.")
            found_at.rename(target)

    def open(self, found_at: Path) -> int:
        number = next(self._numbers)
        self._handles[number] = found_at
        return number

    def handle(self, number: object) -> Path:
        if number not in self._handles:
            raise missing(f"No stream exists for handle {number}.")
        return self._handles[int(str(number))]

    def close(self, number: object) -> None:
        self.handle(number)
        del self._handles[int(str(number))]

    def describe(self, found_at: Path) -> dict[str, Any]:
        about = found_at.stat()
        return {"path": f"/{found_at.relative_to(self.root)}".replace("/.", "/"),
                "is_dir": found_at.is_dir(), "file_size": 0 if found_at.is_dir() else about.st_size,
                "modification_time": int(about.st_mtime * 1000)}
