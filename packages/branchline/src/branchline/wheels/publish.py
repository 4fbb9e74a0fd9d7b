"""Publishes wheels: a version's bytes never change, and what counts as published is complete.

    <destination>/<name>/<version>/<file>.whl           name and version are the root's own wheel's;
    <destination>/<name>/<version>/<file>.whl.sha256    the wheels that it requires are beside it
    <destination>/<name>/repository.json                the repository that owns them

The checksum is written first and claims the name for these bytes, then the wheel; the root's own
wheel is last. Only a wheel with the size in its checksum file counts as published. So a killed
publisher leaves nothing that looks published, and publishing the same bytes again completes it. A
team finds, and removes, wheels in its own folder only.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from branchline.errors import NotInstalled
from branchline.wheels.artifacts import WHEEL, Artifact
from branchline.wheels.build import build, name_of, version_of
from branchline.wheels.claims import Claim
from branchline.wheels.destinations import Destination
from branchline.wheels.distributions import distributions
from branchline.wheels.owner import require_own
from branchline.wheels.published import Published, look_up
from branchline.wheels.source import source_of
from branchline.wheels.uv import find_uv

__all__ = ["check_publishable", "publish", "publish_checkout"]


def publish(wheels: Sequence[Path], destination: Destination) -> Published:
    """Put wheels into the destination; does nothing if the same bytes are there.

    Args:
        wheels: in installation order; the last one is the root's own.

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
    """The published wheels of the checkout at `root`; built only if they are not there yet.

    Raises:
        AlreadyPublished: the version is taken by other bytes.
        BadInput: the checkout does not build, or another repository has wheels of its name there.
    """
    found = _published(root, destination)
    if found:
        return found
    require_own(root, distributions(root)[-1].name, destination)
    with tempfile.TemporaryDirectory(prefix="branchline-wheel-") as scratch:
        return publish(build(root, Path(scratch)), destination)


def check_publishable(root: Path, destination: Destination) -> None:
    """Check that this machine can build the wheels of the checkout, or that they are published.

    Raises:
        NotInstalled: neither.
    """
    try:
        find_uv(root)
    except NotInstalled:
        if not _published(root, destination):
            raise


def _published(root: Path, destination: Destination) -> Published | None:
    """The checkout's wheels, if all of them are there."""
    names = [one.name for one in distributions(root)]
    found = look_up(names[-1], source_of(root).version, destination)
    whole = found and sorted(each.name for each in found.artifacts) == sorted(names)
    return found if whole else None


def _is_whole(path: str, size: int, destination: Destination) -> bool:
    folder, _, name = path.rpartition("/")
    return any(file.name == name and file.size == size for file in destination.listing(folder))
