"""A release: what a commit published for a project, and what the gate said about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from branchline.errors import BadInput, GateRefused
from branchline.records import Format
from branchline.wheels.artifacts import WHEEL, Artifact
from branchline.wheels.source import Source, source_of

__all__ = ["PASSED", "GateResult", "Origin", "Release", "clean_source", "require_passed",
           "wheel_artifact"]

PASSED = "passed"


def wheel_artifact(name: str, wheel: Mapping[str, Any]) -> dict[str, Any]:
    """Upgrades the one wheel in records of format 1 to an artifact."""
    kept = {key: wheel[key] for key in ("version", "reference", "path", "sha256", "size")}
    return {"kind": WHEEL, "name": name, **kept}


def _one_wheel(content: dict[str, Any]) -> dict[str, Any]:
    wheel = content.pop("wheel")
    return {**content, "project": "", "artifacts": [wheel_artifact(content["name"], wheel)]}


# Format 4 has images among its artifacts, which an older branchline would hand to clusters.
FORMAT = Format("release", 4, {1: _one_wheel, 2: lambda content: {**content, "tables": None}})


@dataclass(frozen=True)
class GateResult:
    """What the gate said about a commit.

    `outcome` is passed, refused, undecidable or none, `verdict` the gate's own JSON, `model` the
    address of the version that was registered from the run, `form` what that scores with and why,
    as its run says, `tables` the versions of its input.
    """

    outcome: str = "none"
    line: str = "no run on this commit was judged"
    run: str | None = None
    model: str | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    verdict: Mapping[str, Any] | None = None
    picture: bytes | None = field(default=None, repr=False)
    form: str | None = None


@dataclass(frozen=True)
class Origin:
    """The origin of a release: project, commit, branch, and who published it."""

    project: str
    commit: str
    branch: str
    by: str


@dataclass(frozen=True)
class Release:
    """What a commit published for a project, and why.

    `name` is the distribution's. `artifacts` are in installation order, the repository's own wheel
    last; `gate` is a GateResult without its picture, `at` a time in UTC, `override` the reason for
    publishing without a passed gate. `tables` are those that the code declares, as JSON objects
    with `name`, `key`, `format`, `versioned` and `columns` (the type by name); None: not known.
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
    tables: tuple[Mapping[str, Any], ...] | None = None

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
            BadInput: it is not a release, or has a newer format.
        """
        expected = {each.name for each in dataclasses.fields(cls)}
        try:
            found = FORMAT.read(content, where)
            if found.keys() == expected:
                artifacts = tuple(Artifact(**each) for each in found["artifacts"])
                tables = None if found["tables"] is None else tuple(found["tables"])
                return cls(**{**found, "artifacts": artifacts, "tables": tables})
        except (KeyError, TypeError):
            pass
        raise BadInput(f"{where}: has {', '.join(content) or 'nothing'}; expected "
                       f"{', '.join(sorted(expected))}.")


def clean_source(root: Path) -> Source:
    """The source of a checkout whose files are all committed.

    Raises:
        BadInput: it is dirty, or not a checkout.
    """
    found = source_of(root)
    if found.dirty or found.commit is None:
        raise BadInput(f"checkout {root.name}: has changes that are not committed; a release "
                       "is made from a commit: commit them (see `git status`), or stash them.")
    return found


def require_passed(gate_result: GateResult, commit: str, override: str | None) -> None:
    """Check that the gate passed the commit, or that a reason to publish it anyway is given.

    Raises:
        GateRefused: neither; the text says what the gate said.
    """
    if gate_result.outcome != PASSED and not (override or "").strip():
        raise GateRefused(f"commit {commit[:12]}: the gate's verdict is {gate_result.outcome}: "
                          f"{gate_result.line}; expected {PASSED}. Run gate.py on main, or publish "
                          "with --override REASON, which is recorded.")
