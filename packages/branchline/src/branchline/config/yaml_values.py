"""Values of YAML nodes, as Python values and as written in the file."""

from __future__ import annotations

import re
from typing import Any, TypeGuard

import yaml

from branchline.errors import BadInput

__all__ = ["DEEPEST", "Loader", "is_number", "kind_of", "refused", "value_of", "written"]

TAG = "tag:yaml.org,2002:"
DEEPEST = 20  # levels of a file


class Loader(yaml.SafeLoader):
    """YAML 1.1 as PyYAML reads it, except that 1e5 is a number."""


Loader.add_implicit_resolver(
    TAG + "float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+\Z"), list("-+0123456789"))


def kind_of(node: yaml.Node) -> str:
    """Its YAML type, `str` or `int`, without the prefix of the tag."""
    return str(node.tag).removeprefix(TAG)


def value_of(node: yaml.Node) -> Any:
    """A checked node as dict, list, str, int, float, bool or None; a date stays text."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: value_of(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [value_of(each) for each in node.value]
    kind, text = kind_of(node), str(node.value)
    if kind == "bool":
        return Loader.bool_values[text.lower()]
    if kind == "int":
        return int(text)
    return float(text) if kind == "float" else None if kind == "null" else text


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a whole or a decimal number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def written(node: yaml.Node | None) -> str:
    """A value as the file has it: text in quotes, `yes`, `.nan` and numbers as they were typed."""
    if not isinstance(node, yaml.ScalarNode):
        return repr(value_of(node)) if node else "missing"
    return repr(node.value) if kind_of(node) == "str" else node.value or "empty"


def refused(where: str, line: int, found: str, expected: str) -> BadInput:
    """The error for the content of a line of the file `where`."""
    return BadInput(f"{where}, line {line}: {found}; expected {expected}.")
