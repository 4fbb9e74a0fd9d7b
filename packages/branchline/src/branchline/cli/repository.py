"""The team's repository: its targets and its projects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from branchline.config.mlproject import Project, find_project
from branchline.config.targets import Target
from branchline.config.targets_file import read_target
from branchline.errors import BadInput

__all__ = ["Repository"]

TARGETS = Path("mlflow-triggers", "targets.yml")


@dataclass(frozen=True)
class Repository:
    """A checkout; `root` is its top, the folder of mlflow-triggers and mlflow-notebooks."""

    root: Path

    @classmethod
    def current(cls) -> Repository:
        """The repository of the running command, else that of the current folder.

        Raises:
            BadInput: the current folder is in none.
        """
        given = click.get_current_context().find_object(cls)
        return given or cls.around(Path.cwd())

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """The repository of a folder.

        Raises:
            BadInput: it is in none.
        """
        for above in (folder.resolve(), *folder.resolve().parents):
            if (above / TARGETS).is_file():
                return cls(above)
        raise BadInput(f"{folder}: is not in a Branchline repository (no folder above has "
                       f"{TARGETS}); change to one and try again.")

    def target(self, name: str) -> Target:
        """The target called `name` in targets.yml.

        Raises:
            BadInput: there is none, or it cannot be used.
        """
        return read_target(self.root / TARGETS, name)

    def project(self, name: str) -> Project:
        """The project called `name`.

        Raises:
            BadInput: there is none, or its MLproject file cannot be used.
        """
        return find_project(name, self.root / "mlflow-notebooks")
