"""Checks an MLproject file against the pipeline that it runs, or writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import yaml

from branchline.config.mlproject import Project
from branchline.config.mlproject_text import MAIN, content_of, entry_points_text, flow
from branchline.errors import BadInput, NotInstalled
from branchline.parameters import Parameter
from branchline.text import collapsed

__all__ = ["Declaration", "check", "declared", "function", "imported", "write"]


class Declaration(Protocol):
    """What the code declares: the names of its steps, its parameters, and its tables."""

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def parameters(self) -> Sequence[Parameter]: ...

    @property
    def table_names(self) -> Sequence[str]: ...

    @property
    def table_records(self) -> Sequence[Mapping[str, Any]]: ...


def declared(project: Project) -> Declaration:
    """The pipeline that the project's `pipeline: module:NAME` names; imports its code.

    Raises:
        NotInstalled: the code needs a package that is not installed here.
        BadInput: the file names no pipeline, or it cannot be imported.
    """
    found: Declaration = imported(project, "pipeline", project.pipeline)
    return found


def imported(project: Project, key: str, address: str | None) -> Any:
    """What the line `key: module:NAME` of the project's file names; imports its code.

    Raises:
        NotInstalled: the code needs a package that is not installed here.
        BadInput: there is no such line, or it cannot be imported.
    """
    module, _, name = str(address or "").partition(":")
    if not name:
        raise BadInput(f"{_file(project)}: has no line `{key}: MODULE:NAME`; expected the "
                       f"module and the name of the {key} in it.")
    try:
        return getattr(import_module(module), name)
    except Exception as problem:  # importing the team's code may raise anything
        missing = problem.name if isinstance(problem, ModuleNotFoundError) else None
        ours = missing is None or missing.partition(".")[0] == module.partition(".")[0]
        line = _line(project, key)
        raise (BadInput if ours else NotInstalled)(
            f"{_file(project)}, line {line}: {key} {address} cannot be imported: "
            f"{type(problem).__name__}: {collapsed(problem)}.") from None


def function(kind: str, address: str) -> Any:
    """The function MODULE:FUNCTION, where there is no project that names it.

    Raises:
        BadInput: it cannot be imported.
    """
    module, _, name = address.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as problem:
        missing = f" ({problem})" if isinstance(problem, ModuleNotFoundError) else ""
        raise BadInput(f"{kind} {address!r}: cannot be imported{missing}; expected "
                       "MODULE:FUNCTION.") from None


def check(project: Project, pipeline: Declaration) -> None:
    """Compare the file with the code.

    Raises:
        BadInput: they differ; the text has the file, the line, and what to write there.
    """
    findings = list(_differences(project, pipeline))
    if findings:
        more = f" ({len(findings) - 1} more)" if len(findings) > 1 else ""
        raise BadInput(f"{_file(project)}, {findings[0]}{more}. `branchline mlproject "
                       f"{project.name} --write` updates it.")


def write(project: Project, pipeline: Declaration) -> None:
    """Write the file's entry points as the code declares them; the part above them stays.

    Raises:
        BadInput: the file has an entry point that is not a step, and would be lost.
    """
    file = project.folder / "MLproject"
    lost = [name for name in project.entry_points if name not in (MAIN, *pipeline.names)]
    if lost:
        raise BadInput(f"{_file(project)}: entry point {lost[0]} is not a step of the "
                       "pipeline; remove it, or edit the file by hand.")
    text = file.read_text(encoding="utf-8")
    above = re.split(r"^entry_points:", text, maxsplit=1, flags=re.MULTILINE)[0]
    below = entry_points_text(pipeline.names, pipeline.parameters)
    file.write_text(above + below, encoding="utf-8")


def _differences(project: Project, pipeline: Declaration) -> Iterator[str]:
    for name in (MAIN, *pipeline.names):
        if name in project.entry_points:
            yield from _of_entry_point(project, name, pipeline.parameters)
        else:
            yield (f"line {_line(project, 'entry_points')}: entry point {name} is missing; add "
                   f"`{name}: {{parameters: {{<<: *parameters, steps: {{<<: *steps, default: "
                   f"{name}}}}}, command: *command}}`")


def _of_entry_point(project: Project, name: str, declared: Sequence[Parameter]) -> Iterator[str]:
    """What differs in one entry point, except what it merges from main, which is reported there."""
    point, at = project.entry_points[name], ("entry_points", name)
    main = project.entry_points[MAIN] if MAIN in project.entry_points and name != MAIN else None
    expected = {each.name: _of_step(each, name) for each in declared}
    for key, parameter in expected.items():
        found = point.parameters.get(key)
        if found != parameter and not (main and found == main.parameters.get(key)):
            yield (f"line {_line(project, *at, 'parameters', key)}: parameter {key} of entry point "
                   f"{name} {_unlike(found, parameter)}")
    for key in point.parameters.keys() - expected.keys():
        if not (main and key in main.parameters):
            yield (f"line {_line(project, *at, 'parameters', key)}: parameter {key} of entry point "
                   f"{name} is not declared in the project's settings; add it there, or remove it "
                   "here")
    for key in expected:
        if f"--{key} {{{key}}}" not in point.command and not (
                main and point.command == main.command):
            yield (f"line {_line(project, *at, 'command')}: the command of entry point {name} "
                   f"does not pass {key} on; add `--{key} {{{key}}}`")


def _unlike(found: Parameter | None, expected: Parameter) -> str:
    """In which keys they differ, and how it should be."""
    there, wanted = content_of(found) if found else {}, content_of(expected)
    if found is None:
        return f"is missing; add `{expected.name}: {flow(wanted)}`"
    keys = [key for key in (*wanted, *(there.keys() - wanted.keys()))
            if there.get(key) != wanted.get(key)]
    return "; ".join(f"has {key} {flow(there[key]) if key in there else 'not set'}, expected "
                     f"{flow(wanted[key]) if key in wanted else 'none'}" for key in keys)


def _of_step(parameter: Parameter, name: str) -> Parameter:
    """The parameter as the entry point `name` has it."""
    alone = parameter.name == "steps" and name != MAIN
    return replace(parameter, default=name) if alone else parameter


def _line(project: Project, *keys: str) -> int:
    """The line of the last of these nested keys that the file has itself."""
    node = yaml.compose((project.folder / "MLproject").read_text(encoding="utf-8"))
    line = 1
    for key in keys:
        found: Mapping[str, tuple[yaml.Node, yaml.Node]] = {
            pair[0].value: pair for pair in node.value} if isinstance(
                node, yaml.MappingNode) else {}
        if key not in found:
            break
        line, node = found[key][0].start_mark.line + 1, found[key][1]
    return line


def _file(project: Project) -> Path:
    return Path(project.folder.parent.name, project.folder.name, "MLproject")
