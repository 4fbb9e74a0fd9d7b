"""The claim of a published file: a small record beside it that says which bytes have its name."""

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
    """The bytes of a file; `size` is theirs."""

    sha256: str
    size: int

    @classmethod
    def on(cls, path: str, destination: Destination) -> Claim | None:
        """What is claimed for the file of that path, None where nothing is.

        Raises:
            BadInput: the claim's file holds something else, or is of a newer format.
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
        """Take the path for these bytes, False where they have it already.

        Raises:
            AlreadyPublished: other bytes have it.
        """
        try:
            destination.create(f"{path}.sha256", encoded(FORMAT.written(asdict(self))))
        except FileExistsError:
            taken = self.on(path, destination)
            if taken is None:
                raise BadInput(f"{destination.reference(path)}.sha256: can be neither created nor "
                               "read; a file has the name of its folder, or the version is being "
                               "removed; try again.") from None
            if taken != self:
                raise AlreadyPublished(
                    f"{destination.reference(path)}: published with sha256 {taken.sha256[:12]}, "
                    f"this wheel's is {self.sha256[:12]}; a version never changes: use the one "
                    "that is there, or commit a change, which gives another version.") from None
            return False
        return True
