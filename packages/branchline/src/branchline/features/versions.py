"""Versions of feature definitions: a changed definition has another one, reworded meaning has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from branchline.features.kernel import Complement, Definition, Product, Ratio

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
        found[each.name] = _digits((each, [found.get(name, "") for name in _used_by(each)]))
    return found


def _used_by(each: Definition) -> tuple[str, ...]:
    if isinstance(each, Ratio):
        return (each.over, *each.under)
    if isinstance(each, Product):
        return (each.left, each.right)
    return (each.of if isinstance(each, Complement) else each.value,)


def _digits(content: object) -> str:
    return f"{crc32(repr(content).encode()):08x}"
