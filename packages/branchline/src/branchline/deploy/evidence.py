"""The evidence of a deployment: one JSON file, the page that shows it, and their checksum."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from branchline.deploy.deployment import upgraded_state
from branchline.deploy.evidence_page import page
from branchline.deploy.release import Release
from branchline.errors import BadInput, NotApproved
from branchline.records import Format, encoded, parsed, sha256

__all__ = ["junit", "read_bundle", "write_bundle"]

FILE, PAGE = "evidence.json", "evidence.html"


def _artifacts(content: dict[str, Any]) -> dict[str, Any]:
    release = Release.of_record(content["release"], FILE)
    return {**content, "release": release.as_record(), "commits_missing": None,
            "state": upgraded_state(dict(content["state"]))}


FORMAT = Format("evidence", 4, {1: _artifacts, 2: lambda content: {
    **content, "breaking": [], "tables_unknown": "this was planned by an older branchline"},
    3: lambda content: {**content, "state": {**content["state"], "services": {}}}})


def write_bundle(evidence: Mapping[str, Any], picture: bytes | None, folder: Path) -> str:
    """Write both files into the folder; the SHA-256 of evidence.json, which contains the page's.

    Args:
        picture: the gate's, as PNG.

    Raises:
        BadInput: the folder cannot be written.
    """
    html = page(evidence, picture).encode()
    content = encoded(FORMAT.written({**evidence, "page": sha256(html)}))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PAGE).write_bytes(html)
        (folder / FILE).write_bytes(content)
    except OSError as problem:
        raise BadInput(f"{folder}: {problem.strerror}; expected a folder to write to.") from None
    return sha256(content)


def read_bundle(folder: Path, checksum: str, target: str) -> dict[str, Any]:
    """The evidence in the folder, if it is what was approved for this target.

    Raises:
        BadInput: the files are not there.
        NotApproved: they do not have the checksum, or are for another target.
    """
    try:
        content, html = (folder / FILE).read_bytes(), (folder / PAGE).read_bytes()
    except OSError as problem:
        raise BadInput(f"{problem.filename}: {problem.strerror}; expected what `deploy.py plan "
                       "--out` wrote; pass its folder with --from.") from None
    if sha256(content) != checksum:
        raise NotApproved(f"{folder / FILE}: sha256 {sha256(content)}, but {checksum} was "
                          "approved; it was changed or written again: review and approve it again.")
    found = FORMAT.read(parsed(content, str(folder / FILE)), str(folder / FILE))
    if sha256(html) != found["page"]:
        raise NotApproved(f"{folder / PAGE}: does not match {FILE}; it was changed: plan again.")
    if found["target"] != target:
        raise NotApproved(f"{folder / FILE}: is for target {found['target']}, not {target}; plan "
                          f"for {target}.")
    return found


def junit(file: Path) -> dict[str, Any]:
    """Reads a JUnit file as pytest's --junit-xml writes it: counts, seconds, failures.

    Raises:
        BadInput: it is not a JUnit file, or has no test.
    """
    try:
        cases = list(xml.parse(file).getroot().iter("testcase"))
    except (OSError, xml.ParseError) as problem:
        raise BadInput(f"{file}: cannot be read as JUnit XML: {problem}.") from None
    if not cases:
        raise BadInput(f"{file}: has no test; expected what `pytest --junit-xml` writes.")
    failed = [f"{case.get('classname')}::{case.get('name')}" for case in cases
              if case.find("failure") is not None or case.find("error") is not None]
    return {"tests": len(cases), "failed": failed,
            "skipped": sum(case.find("skipped") is not None for case in cases),
            "seconds": round(sum(float(case.get("time") or 0) for case in cases), 1)}
