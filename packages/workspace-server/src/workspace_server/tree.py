"""The workspace's tree: folders, files, notebooks, experiments; files are plain files on disk."""

from __future__ import annotations

import json
import os
import shutil
import threading
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from workspace_server.errors import ApiError, exists, invalid, missing
from workspace_server.identity import USERS


@dataclass(frozen=True)
class Special:
    """What the disk cannot say about a node: that it is a NOTEBOOK or an MLFLOW_EXPERIMENT."""

    object_type: str
    language: str = ""
    object_id: int = 0


class Tree:
    """All nodes below `root`; a prefix /Workspace in a path is ignored."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._memory = root.parent / "nodes.json"
        self._lock = threading.RLock()
        for name in ("Shared", "Repos", *(f"Users/{user}" for user in USERS)):
            (root / name).mkdir(parents=True, exist_ok=True)
        known = json.loads(self._memory.read_text()) if self._memory.exists() else {}
        self._special = {path: Special(**node) for path, node in known.items()}

    def type_of(self, path: str) -> str | None:
        """DIRECTORY, FILE, NOTEBOOK or MLFLOW_EXPERIMENT; None if there is nothing."""
        if path in self._special:
            return self._special[path].object_type
        file = self.on_disk(path)
        return "DIRECTORY" if file.is_dir() else "FILE" if file.is_file() else None

    def has(self, kind: str, number: str) -> bool:
        """Whether a node of that type with that id exists."""
        paths = ("/", *(f"/{file.relative_to(self.root)}" for file in self.root.rglob("*")))
        return any(self.type_of(path) == kind and self.describe(path)["resource_id"] == number
                   for path in paths)

    def on_disk(self, path: str) -> Path:
        return self.root / path.strip("/")

    def describe(self, path: str) -> dict[str, Any]:
        """The node as ObjectInfo.

        Raises:
            ApiError: 404, there is none.
        """
        kind = self.type_of(path)
        if kind is None:
            raise missing(f"Path ({path}) doesn't exist.")
        special = self._special.get(path)
        file = self.on_disk(path)
        number = special.object_id if special and special.object_id else file.stat().st_ino
        about = {"path": path, "object_type": kind, "object_id": number,
                 "resource_id": str(number)}
        if special and special.language:
            about["language"] = special.language
        if kind in ("FILE", "NOTEBOOK"):
            changed = int(file.stat().st_mtime * 1000)
            about |= {"created_at": changed, "modified_at": changed}
        return about | ({"size": file.stat().st_size} if kind == "FILE" else {})

    def children(self, path: str) -> list[str]:
        inside = [f"{path.rstrip('/')}/{file.name}" for file in self.on_disk(path).iterdir()]
        hidden = [node for node in self._special if str(PurePosixPath(node).parent) == path]
        return sorted({*inside, *hidden})

    def make_folders(self, path: str) -> None:
        """As `mkdir -p`.

        Raises:
            ApiError: 400, some part of the path is not a folder.
        """
        with self._lock:
            for node in [*reversed(PurePosixPath(path).parents), PurePosixPath(path)]:
                if self.type_of(str(node)) not in (None, "DIRECTORY"):
                    raise exists(f"Path ({node}) already exists and is not a folder.")
            self.on_disk(path).mkdir(parents=True, exist_ok=True)

    def require_parent(self, path: str) -> None:
        parent = str(PurePosixPath(path).parent)
        if self.type_of(parent) != "DIRECTORY":
            raise missing(f"The parent folder ({parent}) does not exist.")

    def write(self, path: str, content: bytes, kind: str, language: str, overwrite: bool) -> None:
        """Put a FILE or a NOTEBOOK there.

        Raises:
            ApiError: 404 no parent folder, 400 the path is taken and may not be replaced.
        """
        with self._lock:
            self.require_parent(path)
            there = self.type_of(path)
            if there and (not overwrite or there == "DIRECTORY"):
                raise exists(f"Path ({path}) already exists.")
            if there not in (None, kind):
                raise invalid(f"Cannot overwrite the asset at {path} due to type mismatch "
                              f"(asked: {kind}, actual: {there}).")
            if kind == "NOTEBOOK":
                self.add(path, Special(kind, language))
            beside = self.root.parent / f".writing-{threading.get_ident()}"
            beside.write_bytes(content)
            beside.rename(self.on_disk(path))

    def add(self, path: str, special: Special) -> None:
        with self._lock:
            self._special[path] = special
            self._remember()

    def remove(self, path: str, recursive: bool) -> list[int]:
        """Delete a node, a folder only if it is empty or `recursive`; the ids of experiments in it.

        Raises:
            ApiError: 404 missing, 400 not empty.
        """
        with self._lock:
            kind = self.type_of(path)
            if kind is None:
                raise missing(f"Path ({path}) doesn't exist.")
            if kind == "DIRECTORY" and self.children(path) and not recursive:
                raise ApiError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({path}) is not empty")
            if kind == "DIRECTORY":
                shutil.rmtree(self.on_disk(path))
            elif self.on_disk(path).exists():
                os.unlink(self.on_disk(path))
            gone = [node for node in self._special if f"{node}/".startswith(f"{path}/")]
            special = [self._special.pop(node) for node in gone]
            self._remember()
        return [node.object_id for node in special if node.object_type == "MLFLOW_EXPERIMENT"]

    def _remember(self) -> None:
        self._memory.write_text(json.dumps(
            {path: asdict(node) for path, node in self._special.items()}))


def clean(path: object) -> str:
    """The path without the prefix /Workspace and a slash at its end.

    Raises:
        ApiError: 400, not an absolute path.
    """
    if not isinstance(path, str) or not path.startswith("/") or ".." in path.split("/"):
        raise invalid(f"Path ({path}) must be absolute, i.e. begin with '/'.")
    parts = [part for part in path.split("/") if part]
    return "/" + "/".join(parts[1:] if parts[:1] == ["Workspace"] else parts)
