"""The folder that an image is built in: Dockerfile, packages, model, bill of materials."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from branchline.errors import BadInput
from branchline.wheels.build import build
from branchline.wheels.uv import uv

__all__ = ["IMAGE_GROUP", "Contents", "prepare"]

IMAGE_GROUP = "service"  # of pyproject.toml's dependency groups
PLATFORM, PYTHON = "x86_64-manylinux_2_28", "3.11"
PACKAGES, MODEL, BILL = "packages", "model", "sbom.cdx.json"


@dataclass(frozen=True)
class Contents:
    """What an image is made of: the service's folder with its Dockerfile, and a model's folder."""

    root: Path
    service: Path
    model: Path


def prepare(contents: Contents, folder: Path) -> Path:
    """Fill the folder; returns the bill of materials (CycloneDX) in it.

    Packages are those of uv.lock, with checksums, for Linux whatever machine this is: the build
    itself needs neither a network nor credentials of an index.

    Raises:
        BadInput: there is no Dockerfile, the checkout does not build, or a package has no wheel.
    """
    file = contents.service / "Dockerfile"
    if not file.is_file():
        raise BadInput(f"{file}: is missing; expected one, as in deploy/fraud-scoring-service.")
    shutil.copy(file, folder / "Dockerfile")
    shutil.copytree(contents.model, folder / MODEL)
    _export(contents.root, folder / BILL, "cyclonedx1.5")
    requirements = folder.with_name(f"{folder.name}.requirements.txt")
    _export(contents.root, requirements, "requirements.txt")
    wheels = build(contents.root, folder.with_name(f"{folder.name}.wheels"))
    _install(contents.root, folder / PACKAGES, "--require-hashes", "-r", str(requirements))
    _install(contents.root, folder / PACKAGES, *map(str, wheels))
    return folder / BILL


def _export(root: Path, file: Path, form: str) -> None:
    uv(root, "export", "--quiet", "--project", str(root), "--frozen", "--only-group", IMAGE_GROUP,
       "--no-emit-workspace", "--no-header", "--format", form, "--output-file", str(file))


def _install(root: Path, packages: Path, *what: str) -> None:
    uv(root, "pip", "install", "--quiet", "--no-config", "--no-deps", "--target", str(packages),
       "--python-platform", PLATFORM, "--python-version", PYTHON, "--only-binary", ":all:",
       "--link-mode", "copy", *what)
