"""Releases: beside published wheels, a file written once, that says what they are and why.

    <destination>/<name>/<version>/<project>.release.json    the release of a project
    <destination>/<name>/<version>/<project>.verdict.png     the gate's picture, written before it

Repositories of one project once wrote release.json and verdict.png; those are read, too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from branchline.errors import BadInput, GateRefused
from branchline.records import Format, encoded, read_object, sha256
from branchline.wheels.artifacts import WHEEL, Artifact
from branchline.wheels.destinations import Destination
from branchline.wheels.source import Source, source_of

__all__ = ["GateResult", "Release", "checksum", "clean_source", "look_up", "newest", "now",
           "picture_of", "record", "require_passed", "wheel_artifact"]

RELEASE, PICTURE = "release.json", "verdict.png"
PASSED = "passed"


def wheel_artifact(name: str, wheel: Mapping[str, Any]) -> dict[str, Any]:
    """An artifact as JSON, of the one wheel that records of format 1 have."""
    kept = {key: wheel[key] for key in ("version", "reference", "path", "sha256", "size")}
    return {"kind": WHEEL, "name": name, **kept}


def _one_wheel(content: dict[str, Any]) -> dict[str, Any]:
    wheel = content.pop("wheel")
    return {**content, "project": "", "artifacts": [wheel_artifact(content["name"], wheel)]}


FORMAT = Format("release", 2, {1: _one_wheel})


@dataclass(frozen=True)
class GateResult:
    """What the gate said of a commit.

    `outcome` is passed, refused, undecidable or none, `verdict` the gate's own JSON, `model` the
    address of the version that was registered from the run, `tables` the versions of its input.
    """

    outcome: str = "none"
    line: str = "no run on this commit was judged"
    run: str | None = None
    model: str | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    verdict: Mapping[str, Any] | None = None
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Release:
    """What a commit published of a project, and why.

    `name` is the distribution's. `artifacts` are in the order of installing, the repository's own
    wheel is the last; `gate` is a GateResult without its picture, `at` a time in UTC, `override`
    the reason for publishing without a passed gate.
    """

    name: str
    project: str
    version: str
    commit: str
    branch: str
    artifacts: tuple[Artifact, ...]
    gate: Mapping[str, Any]
    override: str | None
    by: str
    at: str

    @property
    def model(self) -> str | None:
        found: str | None = self.gate["model"]
        return found

    def as_record(self) -> dict[str, Any]:
        """The release as a JSON object, with its format."""
        return FORMAT.written(asdict(self))

    @classmethod
    def of_record(cls, content: Mapping[str, Any], where: str) -> Release:
        """The release in a JSON object that this or an older branchline wrote; `where` names it.

        Raises:
            BadInput: it is none, or of a newer format.
        """
        expected = {each.name for each in dataclasses.fields(cls)}
        try:
            found = FORMAT.read(content, where)
            if found.keys() == expected:
                artifacts = tuple(Artifact(**each) for each in found["artifacts"])
                return cls(**{**found, "artifacts": artifacts})
        except (KeyError, TypeError):
            pass
        raise BadInput(f"{where}: has {', '.join(content) or 'nothing'}; expected "
                       f"{', '.join(sorted(expected))}.")


def clean_source(root: Path) -> Source:
    """The source of a checkout whose files are all committed.

    Raises:
        BadInput: it is dirty, or no checkout.
    """
    found = source_of(root)
    if found.dirty or found.commit is None:
        raise BadInput(f"checkout {root.name}: has changes that are not committed; what is "
                       "released leads back to a commit: commit them (`git status`), or stash them")
    return found


def require_passed(gate_result: GateResult, commit: str, override: str | None) -> None:
    """Nothing, where the gate passed the commit or there is a reason to publish it anyway.

    Raises:
        GateRefused: neither; the text has what the gate said.
    """
    if gate_result.outcome != PASSED and not (override or "").strip():
        raise GateRefused(f"commit {commit[:12]}: the gate's verdict is {gate_result.outcome}: "
                          f"{gate_result.line}; expected {PASSED}. Run gate.py on main, or publish "
                          "with --override REASON, which is recorded.")


def record(artifacts: tuple[Artifact, ...], project: str, source: Source, branch: str,
           gate_result: GateResult, override: str | None, by: str, place: Destination) -> Release:
    """Write the release of published wheels; the one that is there, where another was first.

    Args:
        artifacts: in the order of installing, the repository's own wheel is the last.
    """
    own = artifacts[-1]
    gate = {key: value for key, value in vars(gate_result).items() if key != "picture"}
    release = Release(own.name, project, own.version, source.commit or "", branch, artifacts, gate,
                      None if gate_result.outcome == PASSED else override, by, now())
    folder = f"{own.name}/{own.version}"
    if gate_result.picture:
        place.replace(f"{folder}/{project}.{PICTURE}", gate_result.picture)
    try:
        place.create(f"{folder}/{project}.{RELEASE}", encoded(release.as_record()))
    except FileExistsError:
        found = look_up(own.name, project, own.version, place)
        assert found is not None
        return found
    return release


def look_up(name: str, project: str, version: str, place: Destination) -> Release | None:
    """The project's release of a version, None where there is none.

    Raises:
        BadInput: the file is no release.
    """
    for path in _paths(name, project, version, RELEASE):
        content = read_object(path, place)
        if content is not None:
            return Release.of_record(content, place.reference(path))
    return None


def checksum(name: str, project: str, version: str, place: Destination) -> str | None:
    """The SHA-256 of a release's file as it was written, None where there is none."""
    contents = (place.read(path) for path in _paths(name, project, version, RELEASE))
    return next((sha256(content) for content in contents if content is not None), None)


def newest(name: str, project: str, branch: str, place: Destination) -> Release | None:
    """The project's newest release of a branch; None where there is none."""
    versions = [file.name for file in place.entries(name) if file.folder]
    found = [look_up(name, project, version, place) for version in versions]
    return max((each for each in found if each and each.branch == branch),
               key=lambda each: (each.at, each.version), default=None)


def picture_of(release: Release, place: Destination) -> bytes | None:
    """The gate's picture of a release, as PNG."""
    paths = _paths(release.name, release.project, release.version, PICTURE)
    contents = (place.read(path) for path in paths)
    return next((content for content in contents if content is not None), None)


def _paths(name: str, project: str, version: str, file: str) -> list[str]:
    """Where a project's file is; where a repository of one project had it."""
    return [f"{name}/{version}/{project}.{file}", f"{name}/{version}/{file}"]


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
