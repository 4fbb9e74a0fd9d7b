"""Finds, verifies and removes published wheels."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from branchline.errors import BadInput
from branchline.wheels.artifacts import WHEEL, Artifact
from branchline.wheels.claims import Claim
from branchline.wheels.destinations import Destination, FileInfo
from branchline.wheels.distributions import KEPT

__all__ = ["Published", "look_up", "published", "remove", "unused", "verified"]


@dataclass(frozen=True)
class Published:
    """The complete wheels of a version, in installation order.

    `uploaded` is in seconds since 1970, None if the destination does not say or was not asked.
    """

    name: str
    version: str
    artifacts: tuple[Artifact, ...]
    uploaded: float | None = None


def look_up(name: str, version: str, destination: Destination) -> Published | None:
    """The complete wheels of a version; None if its own is not: one listing, one small file each.

    `name` is spelled as in the wheel's file name.

    Raises:
        BadInput: a checksum file holds something else.
    """
    files = {file.name: file for file in destination.listing(f"{name}/{version}")}
    found = [artifact for file in files.values() if f"{file.name}.sha256" in files
             and (artifact := _artifact(f"{name}/{version}", file, destination))]
    found.sort(key=lambda each: (each.name == name, each.name != KEPT, each.name))
    if not found or found[-1].name != name:
        return None
    own = str(found[-1].path).rpartition("/")[2]
    return Published(name, version, tuple(found), files[own].modified)


def _artifact(folder: str, file: FileInfo, destination: Destination) -> Artifact | None:
    path = f"{folder}/{file.name}"
    claim = Claim.on(path, destination)
    if claim is None or claim.size != file.size:
        return None
    name, version = file.name.split("-")[:2]
    return Artifact(WHEEL, name, version, destination.reference(path), path, claim.sha256,
                    claim.size)


def published(name: str, destination: Destination) -> list[Published]:
    """All versions with complete wheels, newest first; by version if times are unknown."""
    versions = [file.name for file in destination.listing(name) if file.folder]
    found = [look_up(name, version, destination) for version in versions]
    return sorted((each for each in found if each), reverse=True,
                  key=lambda each: (each.uploaded or 0, each.version))


def unused(found: Sequence[Published], keep: int, used: Collection[str]) -> list[Published]:
    """The versions to remove: not among the first `keep` and not used.

    `found` is newest first; `used` are versions or references that a run or a job still names.

    Raises:
        BadInput: `keep` is below 1.
    """
    if keep < 1:
        raise BadInput(f"keep: found {keep}, expected at least 1, the newest wheel.")
    return [each for each in found[keep:] if each.version not in used
            and not any(artifact.reference in used for artifact in each.artifacts)]


def remove(version: Published, destination: Destination) -> None:
    """Remove a version's wheels, its own first; if interrupted, the claims stay."""
    for artifact in reversed(version.artifacts):
        destination.delete(str(artifact.path))
        destination.delete(f"{artifact.path}.sha256")
    destination.delete_folder(f"{version.name}/{version.version}")


def verified(wheel: Artifact, destination: Destination) -> bytes:
    """The wheel's current bytes in the destination, verified.

    Raises:
        BadInput: it is gone, or its bytes are not the published ones.
    """
    content = destination.read(str(wheel.path))
    if content is None:
        raise BadInput(f"{wheel.reference}: is missing; publish it again.")
    found = hashlib.sha256(content).hexdigest()
    if found != wheel.sha256:
        raise BadInput(f"{wheel.reference}: sha256 {found[:12]}, expected "
                       f"{str(wheel.sha256)[:12]}; it was changed after it was published: remove "
                       "it and publish it again.")
    return content
