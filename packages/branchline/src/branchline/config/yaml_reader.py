"""Reads the YAML that is allowed here: one small document of plain mappings."""

from __future__ import annotations

import math
import re
from pathlib import Path

import yaml

from branchline.config.yaml_shared import expanded
from branchline.config.yaml_values import DEEPEST, Loader, kind_of, refused, written
from branchline.errors import BadInput
from branchline.text import collapsed

__all__ = ["document"]

LARGEST = 100_000  # bytes; PyYAML takes seconds for a megabyte
LONGEST_NUMBER = 18  # digits
DECIMAL = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
KINDS = {"int": "a number", "float": "a number", "bool": "a boolean", "null": "null",
         "timestamp": "a date", "value": "YAML's own `=`"}
QUOTES = "if it is text, put it in quotes"


def document(path: Path, where: str, shared: bool = False) -> yaml.Node | None:
    """The checked document of a file, called `where` in messages; None if it is empty.

    `shared` allows anchors, aliases and merge keys, within bounds, and resolves them.

    Raises:
        BadInput: it cannot be read, or has something that is not allowed: anchors, tags, merges, a
            second document, a key that is not a text or occurs twice, a number that is not plain
            decimal.
    """
    text = _text(path, where)
    try:
        _check_events(text, where, shared)
        node: yaml.Node | None = yaml.compose(text, Loader=Loader)
    except yaml.YAMLError as problem:
        raise _unreadable(problem, text, where) from None
    if node is not None:
        node = expanded(node, where) if shared else node
        _check_node(node, where)
    return node


def _text(path: Path, where: str) -> str:
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise BadInput(f"{path}: cannot be read: {problem.strerror}.") from None
    if len(content) > LARGEST:
        raise BadInput(f"{where}: has {len(content):,} bytes; expected at most {LARGEST:,}.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise BadInput(f"{where}, line {line}: cannot be read: byte 0x"
                       f"{content[problem.start]:02x} is not UTF-8; save the file as UTF-8."
                       ) from None


def _unreadable(problem: yaml.YAMLError, text: str, where: str) -> BadInput:
    line, said = 1, collapsed(problem)
    if isinstance(problem, yaml.MarkedYAMLError) and problem.problem_mark:
        line, said = problem.problem_mark.line + 1, str(problem.problem)
    elif isinstance(problem, yaml.reader.ReaderError):
        line = text.count("\n", 0, problem.position) + 1
        said = f"character 0x{ord(text[problem.position]):02x} is not allowed"
    remedy = " Indent with spaces." if "'\\t'" in said else ""
    return BadInput(f"{where}, line {line}: cannot be read as YAML: {said}.{remedy}")


def _check_events(text: str, where: str, shared: bool) -> None:
    """Check first: a tree that is too deep, or grows by aliases, is never built."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > DEEPEST:
            raise refused(where, line, f"nested more than {DEEPEST} deep", "less")
        if documents > 1:
            raise refused(where, line, "a second document begins", "one without `---`")
        if isinstance(event, yaml.AliasEvent) and not shared:
            raise refused(where, line, f"alias *{event.anchor}", "the value itself")
        if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)):
            if event.anchor and not shared:
                raise refused(where, line, f"anchor &{event.anchor}", "the value alone")
            if event.tag:
                raise refused(where, line, f"tag {event.tag}", "a value without a tag")


def _check_node(node: yaml.Node, where: str, name: str = "the file") -> None:
    if isinstance(node, yaml.MappingNode):
        _check_keys(node, where)
        for key, value in node.value:
            _check_node(value, where, key.value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_node(value, where, name)
    elif isinstance(node, yaml.ScalarNode):
        _check_scalar(node, where, name)


def _check_keys(node: yaml.MappingNode, where: str) -> None:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise refused(where, line, "a key that is a list or a mapping", "text")
        if kind_of(key) == "merge":
            raise refused(where, line, "merge key <<", "the keys themselves")
        if kind_of(key) != "str":
            raise refused(where, line, f"key {written(key)} is {KINDS[kind_of(key)]}",
                          f"text; {QUOTES}")
        if key.value in lines:
            raise refused(where, line, f"key {key.value} occurs twice, first in line "
                          f"{lines[key.value]}", "it once")
        lines[key.value] = line


def _check_scalar(node: yaml.ScalarNode, where: str, name: str) -> None:
    kind, line = kind_of(node), node.start_mark.line + 1
    if kind in ("merge", "value"):
        raise refused(where, line, f"{name} is {node.value}", f"a value; {QUOTES}")
    if kind not in ("int", "float"):
        return
    if not DECIMAL.fullmatch(node.value) or not math.isfinite(float(node.value)):
        raise refused(where, line, f"{name} is {node.value}",
                      f"a finite number in plain decimals, such as 10 or 0.5; {QUOTES}")
    if kind == "int" and len(node.value.lstrip("+-")) > LONGEST_NUMBER:
        raise refused(where, line, f"{name} is a number of {len(node.value)} digits",
                      f"at most {LONGEST_NUMBER}; {QUOTES}")
