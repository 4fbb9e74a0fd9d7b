"""The claim of a published file: a small record beside it with the checksum of its bytes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from branchline.errors import AlreadyPublished, BadInput
from branchline.records import Format, encoded
from branchline.wheels.destinations import Destination

__all__ = ["Claim"]

FORMAT = Format("checksum", 2)  # 1 was a line, "<sha256>  <size>"


@dataclass(frozen=True)
class Claim:
    """The bytes of a file, by checksum and size."""

    sha256: str
    size: int

    @classmethod
    def on(cls, path: str, destination: Destination) -> Claim | None:
        """The claim for the file at that path; None if there is none.

        Raises:
            BadInput: the claim's file holds something else, or has a newer format.
        """
        content = destination.read(f"{path}.sha256")
        if content is None:
            return None
        where = f"{destination.reference(path)}.sha256"
        sha256, _, size = content.decode(errors="replace").strip().partition("  ")
        if len(sha256) == 64 and size.isdecimal():
            return cls(sha256, int(size))
        try:
            found = FORMAT.read(json.loads(content), where)
            return cls(str(found["sha256"]), int(found["size"]))
        except (AttributeError, KeyError, TypeError, ValueError):
            raise BadInput(f"{where}: expected a checksum and a size; remove the folder and "
                           "publish again.") from None

    def take(self, path: str, destination: Destination) -> bool:
        """Take the path for these bytes; False if they have it already.

        Raises:
            AlreadyPublished: it is taken by other bytes.
        """
        try:
            destination.create(f"{path}.sha256", encoded(FORMAT.written(asdict(self))))
        except FileExistsError:
            taken = self.on(path, destination)
            if taken is None:
                raise BadInput(f"{destination.reference(path)}.sha256: can be neither created "
                               "nor read; a file has its folder's name, or the version is being "
                               "removed; try again.") from None
            if taken != self:
                raise AlreadyPublished(
                    f"{destination.reference(path)}: published with sha256 {taken.sha256[:12]}, "
                    f"this wheel's is {self.sha256[:12]}; a version never changes: use the "
                    "published one, or commit a change, which makes a new version.") from None
            return False
        return True
