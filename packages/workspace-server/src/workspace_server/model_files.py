"""The files of model versions, besides those of volumes."""

from __future__ import annotations

from pathlib import Path

from workspace_server.models import Models
from workspace_server.volumes import Volumes


class ModelFiles(Volumes):
    """Volumes, and the files of models' versions at /Models/<catalog>/<schema>/<model>/<version>.
    """

    def __init__(self, root: Path, artifacts: Path, models: Models) -> None:
        super().__init__(root, artifacts)
        self.models = models

    def on_disk(self, path: str) -> Path:
        parts = [part for part in path.split("/") if part]
        if parts[:1] != ["Models"] or len(parts) < 5 or ".." in parts:
            return super().on_disk(path)
        name, number = ".".join(parts[1:4]), parts[4]
        self.models.version(name, number)
        return self.models.folder(name).joinpath(*parts[4:])
