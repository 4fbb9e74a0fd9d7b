"""The files of releases, beside the published wheels; each is written once.

    <destination>/<name>/<version>/<project>.release.json    the release of a project
    <destination>/<name>/<version>/<project>.verdict.png     the gate's picture, written before it

Earlier versions wrote release.json and verdict.png, for a repository's only project; these are
read, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from branchline.deploy.release import PASSED, GateResult, Origin, Release
from branchline.records import encoded, now, read_object, sha256
from branchline.wheels.artifacts import Artifact
from branchline.wheels.destinations import Destination

__all__ = ["checksum", "look_up", "newest", "picture_of", "write"]

RELEASE, PICTURE = "release.json", "verdict.png"


def write(artifacts: tuple[Artifact, ...], origin: Origin, gate_result: GateResult,
          override: str | None, destination: Destination,
          tables: Iterable[Mapping[str, Any]] | None = None) -> Release:
    """Write the release of published wheels; if there is one already, return that.

    Args:
        artifacts: in installation order, the repository's own wheel last.
        override: the reason for publishing without a passed gate; kept only where it was needed.
        tables: those that the code declares; None if they are not known.
    """
    own = artifacts[-1]
    gate = {key: value for key, value in vars(gate_result).items() if key != "picture"}
    release = Release(own.name, origin.project, own.version, origin.commit, origin.branch,
                      artifacts, gate, None if gate_result.outcome == PASSED else override,
                      origin.by, now(), None if tables is None else tuple(tables))
    folder = f"{own.name}/{own.version}"
    if gate_result.picture:
        destination.replace(f"{folder}/{origin.project}.{PICTURE}", gate_result.picture)
    try:
        destination.create(f"{folder}/{origin.project}.{RELEASE}", encoded(release.as_record()))
    except FileExistsError:
        found = look_up(own.name, origin.project, own.version, destination)
        assert found is not None
        return found
    return release


def look_up(name: str, project: str, version: str, destination: Destination) -> Release | None:
    """The project's release of a version; None if there is none.

    Raises:
        BadInput: the file is not a release.
    """
    for path in _paths(name, project, version, RELEASE):
        content = read_object(path, destination)
        if content is not None:
            return Release.of_record(content, destination.reference(path))
    return None


def checksum(name: str, project: str, version: str, destination: Destination) -> str | None:
    """The SHA-256 of a release's file as written; None if there is none."""
    contents = (destination.read(path) for path in _paths(name, project, version, RELEASE))
    return next((sha256(content) for content in contents if content is not None), None)


def newest(name: str, project: str, branch: str, destination: Destination) -> Release | None:
    """The project's newest release of a branch; None if there is none."""
    versions = [file.name for file in destination.listing(name) if file.folder]
    found = [look_up(name, project, version, destination) for version in versions]
    return max((each for each in found if each and each.branch == branch),
               key=lambda each: (each.at, each.version), default=None)


def picture_of(release: Release, destination: Destination) -> bytes | None:
    """The gate's picture of a release, as PNG."""
    paths = _paths(release.name, release.project, release.version, PICTURE)
    contents = (destination.read(path) for path in paths)
    return next((content for content in contents if content is not None), None)


def _paths(name: str, project: str, version: str, file: str) -> list[str]:
    """A project's file; and the file of older versions, for a repository's only project."""
    return [f"{name}/{version}/{project}.{file}", f"{name}/{version}/{file}"]
