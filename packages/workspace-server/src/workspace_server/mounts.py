"""Maps the paths that a cluster sees, and the API's references, to this machine's disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mounts:
    """The folders that a cluster mounts; `dbfs` is None if the workspace has no DBFS root."""

    workspace: Path
    volumes: Path
    dbfs: Path | None

    @property
    def mounts(self) -> Mapping[str, Path]:
        dbfs = {"/dbfs": self.dbfs} if self.dbfs else {}
        return {"/Workspace": self.workspace, "/Volumes": self.volumes, **dbfs}

    def seen(self, reference: str) -> str:
        """The path on a cluster: `dbfs:/x` is /dbfs/x, a path without a mount a workspace file."""
        if reference.startswith("dbfs:/Volumes/"):
            return reference.removeprefix("dbfs:")
        if reference.startswith("dbfs:/"):
            return "/dbfs/" + reference.removeprefix("dbfs:/")
        mounted = reference.startswith(("/Workspace/", "/Volumes/", "/dbfs/"))
        return reference if mounted else f"/Workspace{reference}"

    def on_disk(self, seen: str) -> Path | None:
        """The file behind a path on a cluster; None if there is none."""
        for point, folder in self.mounts.items():
            if seen.startswith(point + "/") and ".." not in seen.split("/"):
                file = folder / seen.removeprefix(point + "/")
                return file if file.is_file() else None
        return None
