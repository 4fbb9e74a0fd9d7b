"""Small uv workspaces in git: a team's distribution and a kept half, called branchline."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["commit", "git", "uv_workspace"]

BUILD = '[build-system]\nrequires = ["hatchling==1.33.0"]\nbuild-backend = "hatchling.build"\n'
TEAM = BUILD + """[project]
name = "{name}"
version = "0.3.0"  # note
requires-python = ">=3.11"
dependencies = ["branchline[more]>=7", "click>=8.1"]
[project.optional-dependencies]
local = []
[dependency-groups]
dev = ["for-tests"]
[tool.uv.workspace]
members = ["packages/*"]
[tool.uv.sources]
branchline = {{ workspace = true }}
for-tests = {{ workspace = true }}
[tool.hatch.build.targets.wheel]
packages = ["src/{package}"]
"""
KEPT = BUILD + """[project]
name = "branchline"
version = "7.1"
requires-python = ">=3.11"
dependencies = ["packaging"]
[project.optional-dependencies]
more = ["pyyaml>=6"]
[tool.hatch.build.targets.wheel]
packages = ["src/kept"]
"""


def git(folder: Path, *command: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), "-c", "user.name=dev", "-c",
                           "user.email=dev@example.com", *command],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, message: str = "a change") -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message, "--allow-empty")
    return git(folder, "rev-parse", "HEAD")


def uv_workspace(folder: Path, name: str = "team-a", says: str = "hello",
                 in_git: bool = True) -> Path:
    """A workspace of a team's distribution, branchline, and a member that only tests need."""
    package = name.replace("-", "_")
    for_tests = KEPT.replace("branchline", "for-tests").replace("src/kept", "src/tried")
    files = {
        "pyproject.toml": TEAM.format(name=name, package=package),
        f"src/{package}/__init__.py": f"import kept\nSAYS = {says!r} + kept.KEPT\n",
        "packages/branchline/pyproject.toml": KEPT,
        "packages/branchline/src/kept/__init__.py": "KEPT = '!'\n",
        "packages/for-tests/pyproject.toml": for_tests,
        "packages/for-tests/src/tried/__init__.py": "",
        "tests/test_it.py": "", "mlflow-notebooks/it/main.py": "import kept\n"}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    if in_git:
        git(folder, "init", "-q", "-b", "main")
        commit(folder, f"{name} {says}")
    return folder
