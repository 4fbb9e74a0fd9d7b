"""What a release consists of: wheels, packages of the index, and images of services."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["IMAGE", "PACKAGE", "WHEEL", "Artifact"]

WHEEL, PACKAGE, IMAGE = "wheel", "package", "image"


@dataclass(frozen=True)
class Artifact:
    """One thing to install or to start; `reference` is how a platform names it.

    For a wheel that is its address, and `path` (below the destination), `sha256` and `size` in
    bytes are known; for a package it is a requirement such as `branchline==0.2.0`; for an image
    REPOSITORY@sha256:DIGEST, where `name` is the service's.
    """

    kind: str
    name: str
    version: str
    reference: str
    path: str | None = None
    sha256: str | None = None
    size: int | None = None
