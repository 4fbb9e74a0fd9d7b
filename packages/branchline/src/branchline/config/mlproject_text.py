"""Formats parameters and entry points for an MLproject file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from branchline.parameters import Parameter

__all__ = ["MAIN", "content_of", "entry_points_text", "flow"]

MAIN = "main"
WIDTH = 100


def entry_points_text(names: Sequence[str], parameters: Sequence[Parameter]) -> str:
    """The part `entry_points:` of an MLproject file: main, and each step alone."""
    lines = [line for each in parameters for line in _written(each)]
    command = _wrapped("python main.py", [f"--{each.name} {{{each.name}}}"
                                          for each in parameters])
    alone = "    parameters: {<<: *parameters, steps: {<<: *steps, default: %s}}"
    steps = [line for name in names
             for line in (f"  {name}:", alone % name, "    command: *command")]
    return "\n".join(["entry_points:", f"  {MAIN}:", "    parameters: &parameters", *lines,
                      "    command: &command >-", *command, *steps, ""])


def content_of(parameter: Parameter) -> dict[str, Any]:
    """The parameter as in the file, without default values."""
    content: dict[str, Any] = {"type": parameter.type, "choices": list(parameter.choices),
                               "minimum": parameter.minimum, "maximum": parameter.maximum,
                               "default": _plain(parameter), "help": parameter.help}
    return {key: value for key, value in content.items()
            if value not in (None, []) and (key, value) not in (("type", "string"), ("help", ""))}


def _plain(parameter: Parameter) -> object:
    """The default, as a number if it is one, so that it needs no quotes."""
    if parameter.type not in ("integer", "float") or not parameter.default:
        return parameter.default
    return yaml.safe_load(parameter.default)


def flow(value: Any) -> str:
    """The value in one line of YAML."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6,
                               allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _written(parameter: Parameter) -> list[str]:
    content = content_of(parameter)
    anchor = " &steps" if parameter.name == "steps" else ""
    short = f"      {parameter.name}: {flow(content)}"
    if not anchor and len(short) <= WIDTH:
        return [short]
    return [f"      {parameter.name}:{anchor}",
            *(f"        {key}: {flow(value)}" for key, value in content.items())]


def _wrapped(first: str, words: Sequence[str]) -> list[str]:
    lines = [f"      {first}"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > WIDTH:
            lines.append(" " * 5)
        lines[-1] += f" {word}"
    return lines
