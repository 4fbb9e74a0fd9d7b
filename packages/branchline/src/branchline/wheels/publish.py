"""Published wheels: a version's bytes never change, and what is there is whole.

    <destination>/<name>/<version>/<file>.whl           name and version are the root's own wheel's;
    <destination>/<name>/<version>/<file>.whl.sha256    those that it requires are beside it
    <destination>/<name>/repository.json                whose wheels they are

A checksum is written first and claims the name for these bytes, the wheel after it; the root's own
wheel is the last. Only a wheel of the size that its checksum tells counts as published, so a
publisher that is killed leaves nothing that could be taken for one, and whoever publishes the same
bytes again completes it. A team finds, and removes, wheels in its own folder only.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from branchline.errors import BadInput
from branchline.wheels.artifacts import WHEEL, Artifact
from branchline.wheels.build import build, name_of, version_of
from branchline.wheels.claims import Claim
from branchline.wheels.destinations import Destination, FileInfo
from branchline.wheels.distributions import KEPT, distributions
from branchline.wheels.owner import require_own
from branchline.wheels.source import source_of

__all__ = ["Published", "look_up", "publish", "publish_checkout", "published", "remove",
           "unused", "verified"]


@dataclass(frozen=True)
class Published:
    """The whole wheels of a version, in the order of installing.

    `uploaded` is in seconds since 1970, None where the destination does not tell or was not asked.
    """

    name: str
    version: str
    artifacts: tuple[Artifact, ...]
    uploaded: float | None = None


def publish(wheels: Sequence[Path], destination: Destination) -> Published:
    """Put wheels into the destination; nothing happens where the same bytes are there.

    Args:
        wheels: in the order of installing; the last one is the root's own.

    Raises:
        AlreadyPublished: the version is taken by other bytes.
        BadInput: no wheel.
    """
    folder = f"{name_of(wheels[-1])}/{version_of(wheels[-1])}"
    made = tuple(_put(wheel, folder, destination) for wheel in wheels)
    return Published(made[-1].name, made[-1].version, made)


def _put(wheel: Path, folder: str, destination: Destination) -> Artifact:
    version, content = version_of(wheel), wheel.read_bytes()
    path = f"{folder}/{wheel.name}"
    claim = Claim(hashlib.sha256(content).hexdigest(), len(content))
    if claim.take(path, destination) or not _is_whole(path, claim.size, destination):
        destination.replace(path, content)
    return Artifact(WHEEL, name_of(wheel), version, destination.reference(path), path,
                    claim.sha256, claim.size)


def publish_checkout(root: Path, destination: Destination) -> Published:
    """The published wheels of the checkout at `root`; built only where they are not there yet.

    Raises:
        AlreadyPublished: the version is taken by other bytes.
        BadInput: the checkout does not build, or another repository has wheels of its name there.
    """
    names = [one.name for one in distributions(root)]
    found = look_up(names[-1], source_of(root).version, destination)
    if found and sorted(each.name for each in found.artifacts) == sorted(names):
        return found
    require_own(root, names[-1], destination)
    with tempfile.TemporaryDirectory(prefix="branchline-wheel-") as scratch:
        return publish(build(root, Path(scratch)), destination)


def look_up(name: str, version: str, destination: Destination) -> Published | None:
    """The whole wheels of a version, None where its own is not: one listing, a small file each.

    `name` is spelled as in the wheel's file name.

    Raises:
        BadInput: a checksum's file holds something else.
    """
    files = {entry.name: entry for entry in destination.entries(f"{name}/{version}")}
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
    """All versions whose wheels are whole, the newest first; by version where times are unknown."""
    versions = [entry.name for entry in destination.entries(name) if entry.folder]
    found = [look_up(name, version, destination) for version in versions]
    return sorted((each for each in found if each), reverse=True,
                  key=lambda each: (each.uploaded or 0, each.version))


def unused(found: Sequence[Published], keep: int, used: Collection[str]) -> list[Published]:
    """The versions to remove: not among the first `keep` and not used.

    `found` are the newest first, `used` versions or references that a run or a job still names.

    Raises:
        BadInput: `keep` is below 1.
    """
    if keep < 1:
        raise BadInput(f"keep: found {keep}, expected at least 1, the newest wheel.")
    return [each for each in found[keep:] if each.version not in used
            and not any(artifact.reference in used for artifact in each.artifacts)]


def remove(version: Published, destination: Destination) -> None:
    """Remove a version's wheels, its own first; cut off between, claims stay for these bytes."""
    for artifact in reversed(version.artifacts):
        destination.delete(str(artifact.path))
        destination.delete(f"{artifact.path}.sha256")
    destination.delete_folder(f"{version.name}/{version.version}")


def verified(wheel: Artifact, destination: Destination) -> bytes:
    """The wheel's bytes as they are in the destination now, checked.

    Raises:
        BadInput: it is gone, or its bytes are not those that were published.
    """
    content = destination.read(str(wheel.path))
    if content is None:
        raise BadInput(f"{wheel.reference}: not there any more; publish it again.")
    found = hashlib.sha256(content).hexdigest()
    if found != wheel.sha256:
        raise BadInput(f"{wheel.reference}: sha256 {found[:12]}, expected "
                       f"{str(wheel.sha256)[:12]}; it was changed after it was published: remove "
                       "it and publish it again.")
    return content


def _is_whole(path: str, size: int, destination: Destination) -> bool:
    folder, _, name = path.rpartition("/")
    return any(entry.name == name and entry.size == size for entry in destination.entries(folder))
