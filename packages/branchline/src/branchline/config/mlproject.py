"""MLproject files: their entry points and parameters, and the check of what a run was given."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from shlex import quote
from typing import Any

import yaml

from branchline.errors import BadInput

__all__ = ["EntryPoint", "Parameter", "Project", "find_project"]

TYPES = ("string", "integer", "float", "date", "location")
ELSEWHERE = ("/Volumes/", "/Workspace/")


@dataclass(frozen=True)
class Parameter:
    """A parameter of an entry point.

    `type` is one of TYPES. MLflow hands all of them on as text; that is why they are checked here,
    before anything starts. A `location` is a local file or folder, or an address with a scheme.
    """

    name: str
    type: str
    default: str | None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    help: str = ""

    def check(self, text: str, here: bool) -> str:
        """The value to pass on: `text`, with a local location made absolute if it runs `here`.

        Raises:
            BadInput: the text is not of the parameter's type, or a place that only this machine
                has for a run elsewhere.
        """
        if text == self.default:
            return text
        if self.choices and text not in self.choices:
            raise self._not(text, "one of " + ", ".join(self.choices))
        if self.type in ("integer", "float"):
            self._check_number(text)
        elif self.type == "date":
            self._check_date(text)
        return self._location(text, here) if self.type == "location" else text

    def _check_number(self, text: str) -> None:
        kind = "a whole number" if self.type == "integer" else "a number"
        least = "" if self.minimum is None else f" of at least {self.minimum:g}"
        try:
            number = int(text) if self.type == "integer" else float(text)
        except ValueError:
            raise self._not(text, kind + least) from None
        if not math.isfinite(number) or (self.minimum is not None and number < self.minimum):
            raise self._not(text, kind + least)

    def _check_date(self, text: str) -> None:
        try:
            date.fromisoformat(text)
        except ValueError:
            raise self._not(text, "a date (YYYY-MM-DD)") from None

    def _location(self, text: str, here: bool) -> str:
        if ":/" in text or text.startswith(ELSEWHERE):
            return text
        if not here:
            raise self._not(text, "an address that the workspace reaches, such as /Volumes/...")
        if not Path(text).exists():
            raise self._not(text, "an existing file or folder")
        return str(Path(text).resolve())

    def _not(self, text: str, expected: str) -> BadInput:
        return BadInput(f"parameter {self.name} is {text!r}; expected {expected}.")

    def __str__(self) -> str:
        kind = "|".join(self.choices) or self.type
        default = f" (default {self.default})" if self.default not in (None, "") else ""
        return f"{self.name}: {kind}{default}  {self.help}".rstrip()


@dataclass(frozen=True)
class EntryPoint:
    """One entry point: its name, its parameters by name, and the command that they go into."""

    name: str
    parameters: Mapping[str, Parameter]
    command: str = ""

    def filled(self, values: Mapping[str, str]) -> str:
        """The command with the values in their places, quoted for a shell, as MLflow does it."""
        return self.command.format(**{name: quote(text) for name, text in values.items()})

    def check(self, given: Mapping[str, str], here: bool = True) -> dict[str, str]:
        """All parameters with their values, the given ones and the defaults of the others.

        `here` tells whether it runs on this machine, which decides what a location may be.

        Raises:
            BadInput: an unknown or missing parameter, or a value of the wrong type.
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
            values[name] = parameter.check(text, here)
        return values


@dataclass(frozen=True)
class Project:
    """An MLflow project: a folder with an MLproject file."""

    name: str
    folder: Path
    entry_points: Mapping[str, EntryPoint]

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
                      for name, value in content["entry_points"].items()}
        except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as problem:
            raise BadInput(f"{path}: is not an MLproject file with entry points "
                           f"({type(problem).__name__}: {' '.join(str(problem).split())})."
                           ) from None
        return cls(content.get("name") or folder.name, folder, points)


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
                     content.get("minimum"), content.get("help", ""))
