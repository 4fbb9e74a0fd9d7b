"""MLproject files: their entry points and parameters, and the check of what a run was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

import yaml

from branchline.errors import BadInput
from branchline.parameters import TYPES, Parameter
from branchline.text import collapsed

__all__ = ["EntryPoint", "Project", "find_project"]


@dataclass(frozen=True)
class EntryPoint:
    """One entry point: its name, its parameters by name, and the command that they go into."""

    name: str
    parameters: Mapping[str, Parameter]
    command: str = ""

    def filled(self, values: Mapping[str, str]) -> str:
        """The command with the values filled in, quoted for a shell, as MLflow does it."""
        return self.command.format(**{name: quote(text) for name, text in values.items()})

    def check(self, given: Mapping[str, str],
              locate: Callable[[str], str] = str) -> dict[str, str]:
        """All parameters with their values, the given ones and the defaults of the others.

        `locate` makes of a location the text to pass on to where the run happens, or raises
        ValueError with what was expected.

        Raises:
            BadInput: an unknown or missing parameter, or a value that does not fit.
        """
        for name in given:
            if name not in self.parameters:
                raise BadInput(f"parameter {name} is unknown to entry point {self.name}; accepted: "
                               f"{', '.join(self.parameters)}.")
        values = {}
        for name, parameter in self.parameters.items():
            text = given.get(name, parameter.default)
            if text is None:
                raise BadInput(f"parameter {name} is missing; pass -P {name}={parameter.type}.")
            values[name] = parameter.check(text, locate)
        return values


@dataclass(frozen=True)
class Project:
    """An MLflow project: a folder with an MLproject file.

    `pipeline` is where the code declares its steps and parameters, as `module:NAME`; None is a
    project that stands for itself.
    """

    name: str
    folder: Path
    entry_points: Mapping[str, EntryPoint]
    pipeline: str | None = None

    def entry_point(self, name: str) -> EntryPoint:
        """The entry point of that name.

        Raises:
            BadInput: there is none.
        """
        if name not in self.entry_points:
            raise BadInput(f"entry point {name} is unknown to project {self.name}; expected one of "
                           f"{', '.join(self.entry_points)}.")
        return self.entry_points[name]

    @classmethod
    def read(cls, folder: Path) -> Project:
        """The project in a folder.

        Raises:
            BadInput: the MLproject file is missing or is not one.
        """
        path = folder / "MLproject"
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            points = {name: _entry_point(name, value, path)
                      for name, value in _entry_points(content).items()}
        except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as problem:
            raise BadInput(f"{path}: is not an MLproject file with entry points "
                           f"({type(problem).__name__}: {collapsed(problem)})."
                           ) from None
        return cls(content.get("name") or folder.name, folder, points, content.get("pipeline"))


def find_project(name: str, projects: Path) -> Project:
    """The project called `name` in the folder `projects`.

    Raises:
        BadInput: there is no such project; the text lists those that there are.
    """
    found = sorted(path.parent.name for path in projects.glob("*/MLproject"))
    if name not in found:
        raise BadInput(f"project {name} is not in {projects.name}/; found "
                       f"{', '.join(found) or 'none'}.")
    return Project.read(projects / name)


def _entry_points(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the file has of them; one that names a pipeline may have none yet."""
    if "pipeline" in content:
        return content.get("entry_points") or {}
    found: Mapping[str, Any] = content["entry_points"]
    return found


def _entry_point(name: str, content: Mapping[str, Any], path: Path) -> EntryPoint:
    parameters = {key: _parameter(key, value, path)
                  for key, value in (content.get("parameters") or {}).items()}
    return EntryPoint(name, parameters, str(content.get("command", "")))


def _parameter(name: str, content: Any, path: Path) -> Parameter:
    if isinstance(content, str):
        content = {"type": content}
    kind = {"path": "location", "uri": "location"}.get(content.get("type"),
                                                       content.get("type", "string"))
    if kind not in TYPES:
        raise BadInput(f"{path}: parameter {name} has type {kind!r}; expected one of "
                       f"{', '.join(TYPES)}.")
    default = content.get("default")
    return Parameter(name, kind, None if default is None else str(default),
                     tuple(str(choice) for choice in content.get("choices", ())),
                     content.get("minimum"), content.get("maximum"), content.get("help", ""))
