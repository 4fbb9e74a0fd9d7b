"""Files and folders in volumes, and MLflow's artifacts, which are kept in the same way."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from workspace_server.errors import ApiError, invalid

ARTIFACTS = "WorkspaceInternal/Mlflow/Artifacts/"


class Volumes:
    """Maps paths of the Files API to this machine's disk."""

    def __init__(self, root: Path, artifacts: Path) -> None:
        self.root, self.artifacts = root, artifacts
        root.mkdir(parents=True, exist_ok=True)
        artifacts.mkdir(parents=True, exist_ok=True)

    def on_disk(self, path: str) -> Path:
        """The file on disk of /Volumes/<catalog>/<schema>/<volume>/…, or of an artifact.

        Raises:
            ApiError: 400 not such a path, 404 no such volume.
        """
        parts = [part for part in path.split("/") if part]
        if ".." in parts:
            raise invalid(f"Path /{path} must not contain '..'.")
        if path.startswith(ARTIFACTS):
            return self.artifacts.joinpath(*parts[3:])
        if parts[:1] != ["Volumes"] or len(parts) < 4:
            raise invalid(f"Invalid path: /{path}; it must be below /Volumes/<catalog>/<schema>/"
                          "<volume>.")
        if not self.root.joinpath(*parts[1:4]).is_dir():
            raise not_found(f"Volume '{'.'.join(parts[1:4])}' does not exist.")
        return self.root.joinpath(*parts[1:])


def not_found(message: str) -> ApiError:
    return ApiError(404, "NOT_FOUND", message)


async def save(content: AsyncIterator[bytes], file: Path, overwrite: bool) -> None:
    """Write to a temporary file and move it, so that two writers never mix.

    Raises:
        ApiError: 409, the path is a folder, or a file that may not be replaced.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ApiError(409, "ALREADY_EXISTS", "A parent of the file is a file.") from None
    handle, beside = tempfile.mkstemp(dir=file.parent, prefix=".arriving-")
    try:
        with os.fdopen(handle, "wb") as stream:
            async for chunk in content:
                stream.write(chunk)
        os.chmod(beside, 0o644)
        if overwrite and not file.is_dir():
            os.replace(beside, file)
        else:
            os.link(beside, file)
    except FileExistsError:
        raise ApiError(409, "ALREADY_EXISTS", "The file being created already exists.") from None
    finally:
        if os.path.exists(beside):
            os.unlink(beside)


def entries(path: str, folder: Path) -> list[dict[str, Any]]:
    """A folder's contents as DirectoryEntry, times in ms; incomplete files are left out."""
    return [{"path": f"/{path.strip('/')}/{file.name}", "name": file.name,
             "is_directory": file.is_dir(), "last_modified": int(file.stat().st_mtime * 1000),
             **({} if file.is_dir() else {"file_size": file.stat().st_size})}
            for file in sorted(folder.iterdir()) if not file.name.startswith(".arriving-")]
