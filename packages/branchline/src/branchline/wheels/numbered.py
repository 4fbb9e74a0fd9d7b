"""Records of a destination's folder by number, each written by one process only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from branchline.errors import RunFailed
from branchline.records import Format, encoded, read_object
from branchline.wheels.destinations import Destination

__all__ = ["Numbered"]


@dataclass(frozen=True)
class Numbered:
    """`folder`/000007.json and what was attached to it, `folder`/000007.NAME.json."""

    destination: Destination
    folder: str
    format: Format

    @property
    def newest(self) -> int:
        """The highest number; 0 without any record."""
        stems = [each.name.removesuffix(".json") for each in
                 self.destination.listing(self.folder)]
        return max((int(stem) for stem in stems if stem.isdecimal()), default=0)

    def read(self, number: int, name: str = "") -> dict[str, Any] | None:
        """A record's content, or what was attached under a name; None if it is not there.

        Raises:
            BadInput: the file holds something else, or a newer format.
        """
        path = self._path(number, name)
        content = read_object(path, self.destination)
        if content is None:
            return None
        return self.format.read(content, self.destination.reference(path))

    def add(self, number: int, content: Mapping[str, Any], name: str = "") -> None:
        """Write the record of this number, which must be free, or attach something to it.

        Raises:
            RunFailed: another process wrote it meanwhile.
        """
        path = self._path(number, name)
        try:
            self.destination.create(path, encoded(self.format.written(content)))
        except FileExistsError:
            raise RunFailed(f"{self.destination.reference(path)}: another process wrote it just "
                            "now; run the command again.") from None

    def _path(self, number: int, name: str) -> str:
        return f"{self.folder}/{number:06d}{f'.{name}' if name else ''}.json"
