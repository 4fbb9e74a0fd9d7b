"""A step's fingerprint: what decides the content of the tables that it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from branchline.records import Format, sha256
from branchline.reuse.code import Code
from branchline.settings import Settings

__all__ = ["Fingerprint", "settings_of"]

FORMAT = Format("step-fingerprint", 1)
SHOWN = 3


@dataclass(frozen=True)
class Fingerprint:
    """Hashes by file, settings and versions of libraries by name, commits by table.

    The commits are those that the step's inputs had before it ran, and its outputs after it.
    """

    code: Mapping[str, str]
    settings: Mapping[str, str]
    libraries: Mapping[str, str]
    tables: Mapping[str, str]

    def differences(self, before: Fingerprint) -> list[str]:
        """What makes the step's tables of `before` out of date, but for the tables themselves."""
        found = []
        if files := _changed(before.code, self.code):
            found.append(f"code changed: {_some(files)}")
        # Another project that has the step may have other parameters; the step reads none of them.
        shared = self.settings.keys() & before.settings.keys()
        if names := [name for name in _changed(before.settings, self.settings) if name in shared]:
            found.append("settings changed: " + _some(
                [_move(name, before.settings[name], self.settings[name]) for name in names]))
        if names := _changed(before.libraries, self.libraries):
            found.append("libraries changed: " + _some(
                [_move(name, before.libraries.get(name, "none"), self.libraries.get(name, "none"))
                 for name in names]))
        return found

    def changed_tables(self, before: Fingerprint) -> list[str]:
        return _changed(before.tables, self.tables)

    def written(self, **further: str) -> dict[str, Any]:
        return FORMAT.written({**asdict(self), **further})

    @classmethod
    def read(cls, content: Mapping[str, Any], where: str) -> Self:
        """
        Raises:
            BadInput: a newer branchline wrote it.
        """
        found = FORMAT.read(content, where)
        return cls(*(found.get(each.name, {}) for each in fields(cls)))


def settings_of(settings: Settings, code: Code) -> dict[str, str]:
    """The project's own settings that the code can read, as texts; long ones as hashes."""
    common = {each.name for each in fields(Settings)}  # where tables are, and what is shown
    return {each.name: _text(getattr(settings, each.name)) for each in fields(settings)
            if each.name in code.words and each.name not in common}


def _text(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"sha256:{sha256(repr(value).encode())[:16]}"


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def _move(name: str, before: str, now: str) -> str:
    if "sha256:" in before + now:
        return name
    return f"{name} {before or chr(39) * 2} -> {now or chr(39) * 2}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
