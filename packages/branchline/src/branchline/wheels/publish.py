"""Published wheels: a version's bytes never change, and what is there is whole.

    <destination>/<name>/<version>/<file>.whl
    <destination>/<name>/<version>/<file>.whl.sha256    "<sha256>  <size in bytes>"

The checksum is written first and claims the version for these bytes, the wheel after it. Only a
wheel of the size that its checksum tells counts as published, so a publisher that is killed leaves
nothing that could be taken for one, and whoever publishes the same bytes again completes it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from branchline.errors import AlreadyPublished, BadInput
from branchline.wheels.build import build, project_name, version_of
from branchline.wheels.destinations import Destination
from branchline.wheels.source import source_of

__all__ = ["Published", "look_up", "publish", "publish_checkout", "published", "remove",
           "unused", "verified"]


@dataclass(frozen=True)
class Published:
    """A whole wheel; `path` is its place in the destination, `reference` what a cluster installs.

    `size` is in bytes, `uploaded` in seconds since 1970, None where the destination does not tell
    or was not asked.
    """

    version: str
    path: str
    reference: str
    sha256: str
    size: int
    uploaded: float | None = None


def publish(wheel: Path, destination: Destination) -> Published:
    """Put a wheel into the destination; nothing happens where the same bytes are there.

    Raises:
        AlreadyPublished: the version is taken by other bytes.
        BadInput: no wheel.
    """
    version = version_of(wheel)
    content = wheel.read_bytes()
    path = f"{wheel.name.split('-')[0]}/{version}/{wheel.name}"
    claim = _Claim(hashlib.sha256(content).hexdigest(), len(content))
    if claim.take(path, destination) or not _is_whole(path, claim.size, destination):
        destination.replace(path, content)
    return Published(version, path, destination.reference(path), claim.sha256, claim.size)


def publish_checkout(root: Path, destination: Destination) -> Published:
    """The published wheel of the checkout at `root`; it is built only where it is not there yet.

    Raises:
        AlreadyPublished: the version is taken by other bytes.
        BadInput: the checkout does not build.
    """
    found = look_up(project_name(root), source_of(root).version, destination)
    if found:
        return found
    with tempfile.TemporaryDirectory(prefix="branchline-wheel-") as scratch:
        return publish(build(root, Path(scratch)), destination)


def look_up(name: str, version: str, destination: Destination) -> Published | None:
    """The whole wheel of a version, None where there is none: one listing, one small file read.

    `name` is spelled as in the wheel's file name.

    Raises:
        BadInput: the checksum's file holds something else.
    """
    files = {entry.name: entry for entry in destination.entries(f"{name}/{version}")}
    for file in files.values():
        path = f"{name}/{version}/{file.name}"
        claim = _Claim.on(path, destination) if f"{file.name}.sha256" in files else None
        if claim and claim.size == file.size:
            return Published(version, path, destination.reference(path), claim.sha256, claim.size,
                             file.modified)
    return None


def published(name: str, destination: Destination) -> list[Published]:
    """All whole wheels of that name, the newest first; by version where no times are known."""
    versions = [entry.name for entry in destination.entries(name) if entry.folder]
    found = [look_up(name, version, destination) for version in versions]
    return sorted((wheel for wheel in found if wheel), reverse=True,
                  key=lambda wheel: (wheel.uploaded or 0, wheel.version))


def unused(wheels: Sequence[Published], keep: int, used: Collection[str]) -> list[Published]:
    """The wheels to remove: not among the first `keep` and not used.

    `wheels` are the newest first, `used` versions or references that a run or a job still names.

    Raises:
        BadInput: `keep` is below 1.
    """
    if keep < 1:
        raise BadInput(f"keep: found {keep}, expected at least 1, the newest wheel.")
    return [wheel for wheel in wheels[keep:]
            if wheel.version not in used and wheel.reference not in used]


def remove(wheel: Published, destination: Destination) -> None:
    """Remove a wheel, then its claim; cut off between, the version stays taken by these bytes."""
    destination.delete(wheel.path)
    destination.delete(f"{wheel.path}.sha256")
    destination.delete_folder(wheel.path.rpartition("/")[0])


def verified(wheel: Published, destination: Destination) -> bytes:
    """The wheel's bytes as they are in the destination now, checked.

    Raises:
        BadInput: it is gone, or its bytes are not those that were published.
    """
    content = destination.read(wheel.path)
    if content is None:
        raise BadInput(f"{wheel.reference}: not there any more; publish it again.")
    found = hashlib.sha256(content).hexdigest()
    if found != wheel.sha256:
        raise BadInput(f"{wheel.reference}: sha256 {found[:12]}, expected {wheel.sha256[:12]}; it "
                       "was changed after it was published: remove it and publish it again.")
    return content


@dataclass(frozen=True)
class _Claim:
    """What a checksum file says."""

    sha256: str
    size: int

    @classmethod
    def on(cls, path: str, destination: Destination) -> _Claim | None:
        text = destination.read(f"{path}.sha256")
        if text is None:
            return None
        sha256, _, size = text.decode(errors="replace").strip().partition("  ")
        if len(sha256) != 64 or not size.isdecimal():
            raise BadInput(f"{destination.reference(path)}.sha256: expected a checksum and a size; "
                           "remove the folder and publish again.")
        return cls(sha256, int(size))

    def take(self, path: str, destination: Destination) -> bool:
        """Take the version for these bytes, False where they have it already.

        Raises:
            AlreadyPublished: other bytes have it.
        """
        try:
            destination.create(f"{path}.sha256", f"{self.sha256}  {self.size}\n".encode())
        except FileExistsError:
            taken = self.on(path, destination)
            if taken is None:
                raise BadInput(f"{destination.reference(path)}.sha256: can be neither created nor "
                               "read; a file is in its folder's place, or somebody removes the "
                               "version just now.") from None
            if taken != self:
                raise AlreadyPublished(
                    f"{destination.reference(path)}: published with sha256 {taken.sha256[:12]}, "
                    f"this wheel's is {self.sha256[:12]}; a version never changes: use the one "
                    "that is there, or commit a change, which gives another version.") from None
            return False
        return True


def _is_whole(path: str, size: int, destination: Destination) -> bool:
    folder, _, name = path.rpartition("/")
    return any(entry.name == name and entry.size == size for entry in destination.entries(folder))
