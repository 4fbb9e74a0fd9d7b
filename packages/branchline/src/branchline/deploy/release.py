"""Releases: beside a published wheel, an entry written once, that says what it is and why.

    <destination>/<name>/<version>/release.json    the entry; verdict.png, the gate's picture, first
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from branchline.errors import BadInput, GateRefused
from branchline.records import encoded, read_object
from branchline.wheels.destinations import Destination
from branchline.wheels.publish import Published
from branchline.wheels.source import Source, source_of

__all__ = ["GateResult", "Release", "clean_source", "require_passed", "look_up", "newest", "now",
           "picture_of", "record"]

ENTRY, PICTURE = "release.json", "verdict.png"
PASSED = "passed"


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
    """An entry. `gate` is a Judged without its picture, `at` a time in UTC, `override` the reason
    for publishing without a passed gate."""

    name: str
    version: str
    commit: str
    branch: str
    wheel: Mapping[str, Any]
    gate: Mapping[str, Any]
    override: str | None
    by: str
    at: str

    @property
    def published(self) -> Published:
        return Published(**self.wheel)

    @property
    def model(self) -> str | None:
        found: str | None = self.gate["model"]
        return found

    def as_json(self) -> bytes:
        return encoded(asdict(self))


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


def record(published: Published, name: str, source: Source, branch: str, gate_result: GateResult,
           override: str | None, by: str, place: Destination) -> Release:
    """Write the entry of a published wheel; the one that is there, where another was first."""
    gate = {key: value for key, value in vars(gate_result).items() if key != "picture"}
    wheel = {**asdict(published), "uploaded": None}
    release = Release(name, published.version, source.commit or "", branch, wheel, gate,
                      None if gate_result.outcome == PASSED else override, by, now())
    folder = f"{name}/{published.version}"
    if gate_result.picture:
        place.replace(f"{folder}/{PICTURE}", gate_result.picture)
    try:
        place.create(f"{folder}/{ENTRY}", release.as_json())
    except FileExistsError:
        found = look_up(name, published.version, place)
        assert found is not None
        return found
    return release


def look_up(name: str, version: str, place: Destination) -> Release | None:
    """The entry of a version, None where it is not released.

    Raises:
        BadInput: the entry is none.
    """
    path = f"{name}/{version}/{ENTRY}"
    content = read_object(path, place)
    if content is None:
        return None
    expected = {each.name for each in dataclasses.fields(Release)}
    if content.keys() != expected:
        raise BadInput(f"{place.reference(path)}: has {', '.join(content)}; expected "
                       f"{', '.join(sorted(expected))}.")
    return Release(**content)


def newest(name: str, branch: str, place: Destination) -> Release | None:
    """The newest release of a branch; None where there is none."""
    versions = [entry.name for entry in place.entries(name) if entry.folder]
    found = [look_up(name, version, place) for version in versions]
    return max((each for each in found if each and each.branch == branch),
               key=lambda each: (each.at, each.version), default=None)


def picture_of(release: Release, place: Destination) -> bytes | None:
    """The gate's picture of a release, as PNG."""
    return place.read(f"{release.name}/{release.version}/{PICTURE}")


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
