"""Versions of feature definitions: a changed definition has another one, reworded meaning has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from branchline.features.kernel import Definition, used_by

__all__ = ["version_of", "versions"]


def version_of(listed: Sequence[Definition]) -> str:
    """The version of all definitions together, eight hexadecimal digits."""
    return _digits(tuple(listed))


def versions(listed: Sequence[Definition]) -> dict[str, str]:
    """Each definition's version, by its name; it also changes with a definition that it uses.

    `listed` is in the order in which features are computed: each uses earlier ones alone.
    """
    found: dict[str, str] = {}
    for each in listed:
        found[each.name] = _digits((each, [found.get(name, "") for name in used_by(each)]))
    return found


def _digits(content: object) -> str:
    return f"{crc32(repr(content).encode()):08x}"
