"""The commits that a release adds to what is deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from branchline.git import git, is_own_checkout

__all__ = ["commits_between"]

LISTED = 50


def commits_between(root: Path, first: str | None, last: str) -> dict[str, Any]:
    """The release's commits, newest first, and why some are not listed."""
    if not is_own_checkout(root):
        return {"commits": [], "commits_missing": "this is not a git checkout"}
    found = git(root, "log", f"--max-count={LISTED}", "--format=%h %s",
                f"{first}..{last}" if first else last, *([] if _is_top(root) else ["--", "."]))
    shallow = git(root, "rev-parse", "--is-shallow-repository") == b"true\n"
    missing = None
    if shallow:
        missing = ("this is a shallow clone without the whole history; fetch it with `git "
                   "fetch --unshallow`, or fetchDepth: 0 in CI")
    elif found is None:
        missing = f"this checkout does not have the commit {first or last}"
    lines = (found or b"").decode(errors="replace").splitlines()
    return {"commits": lines, "commits_missing": missing}


def _is_top(root: Path) -> bool:
    return git(root, "rev-parse", "--show-prefix") == b"\n"
