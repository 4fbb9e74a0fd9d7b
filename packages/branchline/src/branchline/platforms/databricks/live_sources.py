"""Keeps the current sources in sync with a workspace folder: uploads what changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from branchline.platforms.databricks.project_copy import files_to_upload
from branchline.records import Format, encoded
from branchline.wheels.destinations import Destination
from branchline.wheels.distributions import distributions

__all__ = ["sync"]

MANIFEST = "_manifest.json"
FORMAT = Format("live-sources", 2)  # 1 had the files at its top


def sync(root: Path, project: Path, folder: str, destination: Destination) -> tuple[str, str]:
    """Addresses of the project's copy and of all sources in `folder`, both brought up to date.

    The manifest lists what is there. It is deleted first and written last, so that after an
    interrupted sync the next one uploads everything.
    """
    local = {f"{project.name}/{path}": content
             for path, content in files_to_upload(project).items()}
    for one in distributions(root):
        sources = files_to_upload(root / one.folder / "src")
        local |= {f"src/{path}": content for path, content in sources.items()}
    there = _manifest(destination.read(f"{folder}/{MANIFEST}"))
    here = {path: hashlib.sha256(content).hexdigest() for path, content in local.items()}
    if there != here:
        destination.delete(f"{folder}/{MANIFEST}")
        for path in sorted(path for path in here if there.get(path) != here[path]):
            destination.replace(f"{folder}/{path}", local[path])
        for path in there.keys() - here.keys():
            destination.delete(f"{folder}/{path}")
        destination.replace(f"{folder}/{MANIFEST}", encoded(FORMAT.written({"files": here})))
    return destination.reference(f"{folder}/{project.name}"), destination.reference(f"{folder}/src")


def _manifest(content: bytes | None) -> Mapping[str, str]:
    """What is there; nothing if another format wrote it: then all is uploaded again."""
    found = json.loads(content or b"{}")
    is_ours = found.get("format") == f"{FORMAT.kind}/{FORMAT.version}"
    files: Mapping[str, str] = found["files"] if is_ours else {}
    return files
