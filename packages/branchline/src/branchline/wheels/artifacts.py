"""What a run installs: a wheel in a destination, or a package from the index, pinned."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PACKAGE", "WHEEL", "Artifact"]

WHEEL, PACKAGE = "wheel", "package"


@dataclass(frozen=True)
class Artifact:
    """One thing to install; `reference` is what a cluster's `libraries` contain.

    For a wheel that is its address, and `path` (below the destination), `sha256` and `size` in
    bytes are known; for a package it is a requirement such as `branchline==0.2.0`.
    """

    kind: str
    name: str
    version: str
    reference: str
    path: str | None = None
    sha256: str | None = None
    size: int | None = None
