"""The state of the sources that a wheel is built from: commit, changes, version."""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

from branchline.errors import BadInput

__all__ = ["Source", "source_of"]

WHEEL_INPUTS = ("src", "pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True)
class Source:
    """The state of a checkout; `changes` is a hash of the wheel's files where the tree is dirty."""

    project_version: str
    commit: str | None
    changes: str | None

    @property
    def dirty(self) -> bool:
        return self.changes is not None

    @property
    def version(self) -> str:
        """The wheel's version: `0.1.0+g1a2b3c4d5e6f`, and `.d` with a content hash when dirty."""
        parts = [f"g{self.commit[:12]}"] if self.commit else []
        parts += [f"d{self.changes[:12]}"] if self.changes else []
        return self.project_version + ("+" + ".".join(parts) if parts else "")


def source_of(root: Path) -> Source:
    """The source in the checkout at `root`; without git, or before the first commit, it is dirty.

    Raises:
        BadInput: `root` holds no pyproject.toml with a version.
    """
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        version = str(project["version"])
    except (OSError, tomllib.TOMLDecodeError, KeyError) as problem:
        raise BadInput(f"{root}/pyproject.toml: cannot be read as a project with a version "
                       f"({type(problem).__name__}: {problem}).") from None
    commit = _git(root, "rev-parse", "--verify", "-q", "HEAD")
    clean = commit is not None and _git(root, "status", "--porcelain") == ""
    return Source(version, commit, None if clean else _content_hash(root))


def _git(root: Path, *command: str) -> str | None:
    """What git answers, None where it fails or is not installed."""
    try:
        done = subprocess.run(["git", "-C", str(root), *command], capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _content_hash(root: Path) -> str:
    digest = hashlib.sha256()
    for name in WHEEL_INPUTS:
        top = root / name
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                content = file.read_bytes()
                digest.update(f"{file.relative_to(root).as_posix()} {len(content)}\n".encode())
                digest.update(content)
    return digest.hexdigest()
