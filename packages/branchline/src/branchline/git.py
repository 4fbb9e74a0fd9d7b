"""Asks git about a checkout, whatever repository the environment points to."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from branchline.errors import BadInput
from branchline.text import collapsed

__all__ = ["git", "git_or_reason", "is_own_checkout"]

# Git hooks set them; they would make git look outside of the folder.
ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX",
             "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE")


def git(folder: Path, *command: str, given: bytes = b"") -> bytes | None:
    """What git answers in the folder; None if it fails, or there is no git or no repository.

    Raises:
        BadInput: git refuses the checkout because another user owns it; the text is git's.
    """
    return git_or_reason(folder, *command, given=given)[0]


def git_or_reason(folder: Path, *command: str, given: bytes = b"") -> tuple[bytes | None, str]:
    """What git answers in the folder; if it fails, None and git's message on one line.

    Raises:
        BadInput: git refuses the checkout because another user owns it; the text is git's.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    try:
        done = subprocess.run(["git", "-C", str(folder), *command], input=given,
                              capture_output=True, env={**kept, "LC_ALL": "C"})
    except OSError as problem:
        return None, f"git cannot be run: {problem.strerror}"
    said = collapsed(done.stderr.decode(errors="replace"))
    if done.returncode and b"safe.directory" in done.stderr:
        raise BadInput(f"git: {said}")
    return (None, said) if done.returncode else (done.stdout, said)


def is_own_checkout(root: Path) -> bool:
    """Whether the repository that git finds is the folder's own: it begins there, or tracks it.

    A folder unpacked inside another repository's checkout does not belong to that repository.

    Raises:
        BadInput: git refuses the checkout.
    """
    top = git(root, "rev-parse", "--show-toplevel")
    if top is None:
        return False
    if Path(os.fsdecode(top).removesuffix("\n")).resolve() == root.resolve():
        return True
    return bool(git(root, "ls-tree", "HEAD", "--", "pyproject.toml"))
