"""Compares two settings: one line for each different value, with its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Difference", "differences", "drift"]


@dataclass(frozen=True)
class Difference:
    """The two values at `path`, such as `tasks[0].libraries[0].whl`; None: no value.

    The value of an option in a list is at `parameters[5 --data]`.
    """

    path: str
    was: Any
    becomes: Any


def differences(was: Mapping[str, Any], becomes: Mapping[str, Any]) -> list[Difference]:
    """All values that differ between two JSON objects, ordered by path."""
    before, after = dict(_leaves("", was)), dict(_leaves("", becomes))
    return [Difference(path, before.get(path), after.get(path))
            for path in sorted(before.keys() | after.keys())
            if before.get(path) != after.get(path)]


def drift(recorded: Mapping[str, Any], found: Mapping[str, Any]) -> list[Difference]:
    """What is no longer as recorded; fields that a platform added are not drift."""
    present = dict(_leaves("", found))
    return [Difference(path, value, present.get(path))
            for path, value in sorted(_leaves("", recorded)) if present.get(path) != value]


def _leaves(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [leaf for key, below in value.items()
                for leaf in _leaves(f"{path}.{key}" if path else str(key), below)]
    if isinstance(value, (list, tuple)):
        return [leaf for at, below in enumerate(value)
                for leaf in _leaves(f"{path}[{at}{_option(value, at)}]", below)]
    return [(path, value)]


def _option(listed: Sequence[Any], at: int) -> str:
    """The option whose value an item is, such as ` --data`; empty if there is none before it."""
    before = listed[at - 1] if at else None
    is_option = isinstance(before, str) and before.startswith("--")
    return f" {before}" if is_option else ""
