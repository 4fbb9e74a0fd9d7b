"""The state of the sources that wheels are built from: commit, changes, version.

A tree is dirty if files that decide what runs differ from the commit: those of the wheels, uv.lock,
cluster.json, the projects, the triggers' and the services' files. Others, such as tests and docs,
do not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from branchline.wheels.checkout import read_checkout
from branchline.wheels.distributions import distributions
from branchline.wheels.pyproject import Distribution

__all__ = ["Snapshot", "Source", "snapshot", "source_of"]

WHEEL_INPUTS = ("src", "pyproject.toml", "README.md", "LICENSE")
RUN_INPUTS = ("uv.lock", "cluster.json", "mlflow-notebooks", "mlflow-triggers",
              "deploy")


@dataclass(frozen=True)
class Source:
    """The state of a checkout; `changes` is a hash of the wheels' files if the tree is dirty."""

    project_version: str
    commit: str | None
    changes: str | None

    @property
    def dirty(self) -> bool:
        return self.changes is not None

    @property
    def version(self) -> str:
        """The wheel's version: `0.1.0+g1a2b3c4d5e6f`, and `.d` with a content hash when dirty."""
        return self.stamped(self.project_version)

    def stamped(self, project_version: str) -> str:
        """The version of a distribution's wheel in this state."""
        parts = [f"g{self.commit[:12]}"] if self.commit else []
        parts += [f"d{self.changes[:12]}"] if self.changes else []
        return project_version + ("+" + ".".join(parts) if parts else "")


@dataclass(frozen=True)
class Snapshot:
    """A source with its distributions, in installation order, and the files of each wheel."""

    source: Source
    distributions: tuple[Distribution, ...]
    files: Mapping[str, bytes]

    def files_of(self, one: Distribution) -> dict[str, bytes]:
        """A distribution's own files, by the path in its folder."""
        tops = _inputs(one)
        prefix = f"{one.folder}/" if one.folder else ""
        return {name.removeprefix(prefix): content for name, content in self.files.items()
                if _is_below(name, tops)}


def source_of(root: Path) -> Source:
    """The source in the checkout at `root`; without git, or before the first commit, it is dirty.

    Raises:
        BadInput: `root` holds no pyproject.toml with a name and a version; git refuses it.
    """
    return snapshot(root).source


def snapshot(root: Path) -> Snapshot:
    """The source in the checkout at `root`, and its files as they are now.

    Raises:
        BadInput: as `source_of`.
    """
    found = distributions(root)
    inputs = tuple(path for one in found for path in _inputs(one))
    checkout = read_checkout(root, (*inputs, *RUN_INPUTS))
    files = {name: content for name, content in checkout.files.items() if _is_below(name, inputs)}
    source = Source(found[-1].version, checkout.commit,
                    None if checkout.clean else _content_hash(files))
    return Snapshot(source, found, files)


def _inputs(one: Distribution) -> tuple[str, ...]:
    return tuple(f"{one.folder}/{name}" if one.folder else name for name in WHEEL_INPUTS)


def _is_below(name: str, tops: tuple[str, ...]) -> bool:
    return any(name == top or name.startswith(f"{top}/") for top in tops)


def _content_hash(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name} {len(content)}\n".encode(errors="surrogateescape"))
        digest.update(content)
    return digest.hexdigest()
