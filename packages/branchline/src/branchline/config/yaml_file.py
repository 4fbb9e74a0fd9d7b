"""Mappings of a YAML file with the line of each key, for error messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from branchline.config.yaml_reader import document
from branchline.config.yaml_values import value_of, written
from branchline.errors import BadInput

__all__ = ["YamlMapping", "read_yaml"]


@dataclass(frozen=True)
class YamlMapping:
    """A mapping: its file's name, its keys with their values, and the lines of both."""

    where: str
    values: Mapping[str, Any]
    lines: Mapping[str, int]
    line: int
    nodes: Mapping[str, yaml.Node]

    @classmethod
    def of(cls, where: str, what: str, line: int, node: yaml.Node) -> YamlMapping:
        """The mapping that a node is.

        Raises:
            BadInput: it is not a mapping; the text calls it `what`.
        """
        if not isinstance(node, yaml.MappingNode):
            raise BadInput(f"{where}, line {line}: {what} is {written(node)}; expected lines such "
                           "as `key: value`.")
        lines = {key.value: key.start_mark.line + 1 for key, _ in node.value}
        return cls(where, value_of(node), lines, line,
                   {key.value: value for key, value in node.value})

    def below(self, key: str) -> YamlMapping:
        """The mapping at a key; an empty one if the key is missing."""
        if key not in self.values:
            return YamlMapping(self.where, {}, {}, self.line, {})
        return YamlMapping.of(self.where, key, self.lines[key], self.nodes[key])

    def text(self, key: str, may_be_empty: bool = False) -> str:
        """The text at a key.

        Raises:
            BadInput: it is something else, or empty.
        """
        value = self.values[key]
        if not isinstance(value, str) or not (value or may_be_empty):
            quotes = "; put it in quotes" if isinstance(value, (bool, int, float)) else ""
            raise self.unfit(key, f"text{quotes}")
        return value

    def texts(self, key: str) -> dict[str, str]:
        """The mapping at a key, of texts, and of numbers as they are written.

        Raises:
            BadInput: it is not a mapping, or a value is neither.
        """
        found = self.below(key)
        for name, value in found.values.items():
            if not isinstance(value, (str, int, float)) or isinstance(value, bool):
                quotes = "; put it in quotes" if isinstance(value, bool) else ""
                raise found.unfit(name, f"text or a number{quotes}")
        return {name: str(found.nodes[name].value) for name in found.values}

    def wrong(self, text: str, key: str | None = None) -> BadInput:
        """The error to raise, with the line of the key, else that of the mapping."""
        return BadInput(f"{self.where}, line {self.lines.get(key or '', self.line)}: {text}")

    def unfit(self, key: str, expected: str) -> BadInput:
        """The error to raise for a key's value."""
        return self.wrong(f"{key} is {written(self.nodes.get(key))}; expected {expected}.", key)

    def check_keys(self, what: str, kind: type, without: str = "name") -> None:
        """Compare the keys with a dataclass's fields; those without a default are required.

        Raises:
            BadInput: an unknown key, or a missing one.
        """
        settings = {setting.name: setting for setting in fields(kind) if setting.name != without}
        for key in self.values:
            if key not in settings:
                raise self.wrong(f"{what} has an unknown key {key}; expected "
                                 f"{', '.join(sorted(settings))}.", key)
        for key, setting in settings.items():
            needed = setting.default is MISSING and setting.default_factory is MISSING
            if needed and key not in self.values:
                raise self.wrong(f"{what} lacks {key}.")

    def check_names(self, what: str, known: Sequence[str], required: Sequence[str] = ()) -> None:
        """Compare the keys with those that are known, and those that must be there.

        Raises:
            BadInput: an unknown key, or a missing one.
        """
        for key in self.values:
            if key not in known:
                raise self.wrong(f"{what} has an unknown key {key}; expected some of "
                                 f"{', '.join(known)}.", key)
        for key in required:
            if key not in self.values:
                raise self.wrong(f"{what} lacks {key}.")


def read_yaml(path: Path, where: str = "", shared: bool = False) -> YamlMapping:
    """A YAML file's mapping; empty for an empty file.

    Args:
        where: the file's name in messages; by default its own.
        shared: allows anchors, aliases and merge keys.

    Raises:
        BadInput: the file cannot be read, or holds something else.
    """
    name = where or path.name
    node = document(path, name, shared)
    if node is None or (isinstance(node, yaml.ScalarNode) and value_of(node) is None):
        return YamlMapping(name, {}, {}, 1, {})
    return YamlMapping.of(name, "the file", 1, node)
