"""What source a run comes from (commit, dirty or not, version) and who or what started it."""

from __future__ import annotations

import getpass
import hashlib
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from branchline.errors import BadInput

__all__ = ["Source", "source_of", "started_by"]

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


def started_by(environment: Mapping[str, str]) -> str:
    """The build that CI's variables name (Azure, GitHub, GitLab), else the user."""
    if build := environment.get("BUILD_BUILDID"):
        address = environment.get("SYSTEM_COLLECTIONURI", "") + environment.get(
            "SYSTEM_TEAMPROJECT", "")
        return f"{address}/_build/results?buildId={build}" if address else f"build {build}"
    if build := environment.get("GITHUB_RUN_ID"):
        repository = environment.get("GITHUB_REPOSITORY", "")
        return (f"{environment.get('GITHUB_SERVER_URL', '')}/{repository}/actions/runs/{build}"
                f"/attempts/{environment.get('GITHUB_RUN_ATTEMPT', '1')}")
    if job := environment.get("CI_JOB_URL"):
        return job
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"
