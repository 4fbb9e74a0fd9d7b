"""MLproject files: entry points and parameters, and the check of a run's parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from branchline.config.yaml_file import YamlMapping, read_yaml
from branchline.config.yaml_values import is_number
from branchline.errors import BadInput
from branchline.parameters import TYPES, Parameter

__all__ = ["EntryPoint", "Project", "find_project"]


@dataclass(frozen=True)
class EntryPoint:
    """One entry point: its name, its parameters by name, and its command."""

    name: str
    parameters: Mapping[str, Parameter]
    command: str = ""

    def filled(self, values: Mapping[str, str]) -> str:
        """The command with the values filled in, quoted for a shell, as MLflow does it."""
        return self.command.format(**{name: quote(text) for name, text in values.items()})

    def check(self, given: Mapping[str, str],
              locate: Callable[[str], str] = str) -> dict[str, str]:
        """All parameters with their values, the given ones and the defaults of the others.

        `locate` turns a location into the text for the platform of the run, or raises ValueError
        with what was expected.

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

    `pipeline` is where the code declares its steps and parameters, as `module:NAME`; None: there is
    no such code to compare with. `scorer` and `service` are the functions that open its scorer of a
    stream and its web service, if any.
    """

    name: str
    folder: Path
    entry_points: Mapping[str, EntryPoint]
    pipeline: str | None = None
    scorer: str | None = None
    service: str | None = None

    def entry_point(self, name: str) -> EntryPoint:
        """The entry point called `name`.

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
            BadInput: the MLproject file is missing or is not one; the text has its line.
        """
        where = f"{folder.parent.name}/{folder.name}/MLproject"
        return _project(folder, read_yaml(folder / "MLproject", where, shared=True))


def find_project(name: str, projects: Path) -> Project:
    """The project called `name` in the folder `projects`.

    Raises:
        BadInput: there is no such project; the text lists the known ones.
    """
    found = sorted(path.parent.name for path in projects.glob("*/MLproject"))
    if name not in found:
        raise BadInput(f"project {name} is not in {projects.name}/; found "
                       f"{', '.join(found) or 'none'}.")
    return Project.read(projects / name)


def _project(folder: Path, content: YamlMapping) -> Project:
    pipeline, scorer, service = (content.text(key) if key in content.values else None
                                 for key in ("pipeline", "scorer", "service"))
    points = content.below("entry_points") if content.values.get("entry_points") else None
    if points is None and pipeline is None:  # a new project's MLproject may only name its pipeline
        raise content.wrong("lacks entry_points; expected at least the entry point main.")
    name = content.text("name") if "name" in content.values else folder.name
    found = {each: _entry_point(each, points.below(each)) for each in points.values
             } if points else {}
    return Project(name, folder, found, pipeline, scorer, service)


def _entry_point(name: str, content: YamlMapping) -> EntryPoint:
    parameters = content.below("parameters") if content.values.get("parameters") else None
    found = {each: _parameter(each, parameters) for each in parameters.values
             } if parameters else {}
    if "command" not in content.values:
        raise content.wrong(f"entry point {name} lacks command.")
    point = EntryPoint(name, found, content.text("command"))
    try:
        point.filled(dict.fromkeys(found, ""))
    except (KeyError, IndexError, ValueError, AttributeError) as problem:
        raise content.wrong(f"command of entry point {name} cannot be filled in: {problem}; "
                            f"expected {{NAME}} of its parameters: {', '.join(found) or 'none'}.",
                            "command") from None
    return point


def _parameter(name: str, parameters: YamlMapping) -> Parameter:
    """A parameter: its type alone, or a mapping."""
    if isinstance(parameters.values[name], str):
        return Parameter(name, _type(name, parameters.values[name], parameters), None)
    content = parameters.below(name) if parameters.values[name] is not None else None
    if content is None:
        return Parameter(name, "string", None)
    kind = _type("type", content.text("type"), content) if "type" in content.values else "string"
    about = content.text("help", may_be_empty=True) if "help" in content.values else ""
    return Parameter(name, kind, _default(content), _choices(content),
                     _bound(content, "minimum"), _bound(content, "maximum"), about)


def _type(key: str, found: str, content: YamlMapping) -> str:
    kind = {"path": "location", "uri": "location"}.get(found, found)
    if kind not in TYPES:
        raise content.unfit(key, f"one of {', '.join(TYPES)}")
    return kind


def _default(content: YamlMapping) -> str | None:
    value = content.values.get("default")
    if isinstance(value, (list, dict)):
        raise content.unfit("default", "one value; put a list into one text, with commas")
    return None if value is None else str(value)


def _choices(content: YamlMapping) -> tuple[str, ...]:
    values = content.values.get("choices", [])
    if not isinstance(values, list) or any(isinstance(each, (list, dict)) for each in values):
        raise content.unfit("choices", "a list such as [few, many]")
    return tuple(str(each) for each in values)


def _bound(content: YamlMapping, key: str) -> float | None:
    value = content.values.get(key)
    if value is not None and not is_number(value):
        raise content.unfit(key, "a number")
    return value
