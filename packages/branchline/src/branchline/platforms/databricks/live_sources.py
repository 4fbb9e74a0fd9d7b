"""The sources as they are now, kept in step in a workspace folder: what changed is uploaded."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from branchline.platforms.databricks.project_copy import files_to_upload
from branchline.wheels.destinations import Destination

__all__ = ["requirements", "sync"]

MANIFEST = "_manifest.json"


def sync(root: Path, project: Path, folder: str, place: Destination) -> tuple[str, str]:
    """Addresses of the project's copy and of src in `folder`, after bringing both up to date.

    The manifest tells what is there. It is taken away first and written last, so that a sync that
    was cut off is followed by one of everything.
    """
    local = {f"{project.name}/{path}": content
             for path, content in files_to_upload(project).items()}
    local |= {f"src/{path}": content for path, content in files_to_upload(root / "src").items()}
    there: Mapping[str, str] = json.loads(place.read(f"{folder}/{MANIFEST}") or b"{}")
    here = {path: hashlib.sha256(content).hexdigest() for path, content in local.items()}
    if there != here:
        place.delete(f"{folder}/{MANIFEST}")
        for path in sorted(path for path in here if there.get(path) != here[path]):
            place.replace(f"{folder}/{path}", local[path])
        for path in there.keys() - here.keys():
            place.delete(f"{folder}/{path}")
        place.replace(f"{folder}/{MANIFEST}", json.dumps(here).encode())
    return place.reference(f"{folder}/{project.name}"), place.reference(f"{folder}/src")


def requirements(root: Path) -> tuple[str, ...]:
    """What the sources need besides themselves: the wheel's requirements in pyproject.toml."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return tuple(project.get("dependencies", ()))
