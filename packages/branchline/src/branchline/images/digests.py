"""The record of pushed images: the digests of a version's services, for publish.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from branchline.errors import BadInput
from branchline.records import Format, encoded, parsed
from branchline.wheels.artifacts import IMAGE, Artifact

__all__ = ["read_images", "write_images"]

FORMAT = Format("images", 1)
REFERENCE = re.compile(r"[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}")


def write_images(file: Path, version: str, references: Mapping[str, str]) -> None:
    """Write which image each service has in a version: REPOSITORY@sha256:DIGEST."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encoded(FORMAT.written({"version": version, "images": dict(references)})))


def read_images(file: Path, version: str) -> tuple[Artifact, ...]:
    """The images in a file that image.py, or a build of your own, wrote.

    Raises:
        BadInput: it cannot be read, is of another version, or an image has no digest.
    """
    try:
        found = FORMAT.read(parsed(file.read_bytes(), str(file)), str(file))
        images = dict(found["images"])
    except OSError as problem:
        raise BadInput(f"{file}: {problem.strerror}; expected what image.py --push wrote."
                       ) from None
    except (KeyError, TypeError, ValueError):
        raise BadInput(f"{file}: has no images; expected what image.py --push wrote.") from None
    if found.get("version") != version:
        raise BadInput(f"{file}: is of version {found.get('version')}, but the checkout is "
                       f"{version}; build the images of this commit.")
    for name, reference in images.items():
        if not isinstance(reference, str) or not REFERENCE.fullmatch(reference):
            raise BadInput(f"{file}: image of {name} is {reference!r}; expected "
                           "REPOSITORY@sha256:DIGEST.")
    return tuple(Artifact(IMAGE, name, version, reference, None, reference.rpartition(":")[2])
                 for name, reference in sorted(images.items()))
