"""The repository as a template: what `copier copy` makes of it, and what `copier update` brings.

A project does not take this file along.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.clone import PATH, a_persons_shell, clone
from support.workspaces import git

pytestmark = pytest.mark.slow

STEP = Path("src", "fraud_detection", "steps", "monitor.py")
GUIDE = Path("docs", "ci.md")
AS_IN_THE_PROJECT = {"pyproject.toml", "uv.lock", "cluster.json", "CHANGELOG.md"}
TEMPLATE_ONLY = {"copier.yml", "tests/test_template.py"}


def copier(*arguments: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-m", "copier", *arguments], cwd=folder, text=True,
                          capture_output=True, env=a_persons_shell())
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def made(template: Path, folder: Path, name: str = "card-fraud", cloud: str = "aws") -> Path:
    """A project of the template's newest version, committed, as docs/template.md tells."""
    copier("copy", "-d", f"name={name}", "-d", f"cloud={cloud}", str(template), str(folder),
           folder=template)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    committed(folder, "A project from Branchline")
    return folder


def committed(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as it is now, as version v1 of the template."""
    folder = clone(tmp_path_factory.mktemp("template") / "branchline")
    committed(folder, "As it is now")
    for old in git(folder, "tag").split():
        git(folder, "tag", "--delete", old)
    git(folder, "tag", "v1.0.0")
    return folder


@pytest.fixture(scope="module")
def project(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(template, tmp_path_factory.mktemp("project") / "card-fraud")


def tracked(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in git(folder, "ls-files", "-z").split("\0")
            if name}


def test_a_project_has_the_template_s_files_byte_for_byte(template: Path, project: Path) -> None:
    files, copied = tracked(template), tracked(project)
    twins = {name for name in files if name.endswith(".jinja")}
    assert set(copied) == set(files) - twins - TEMPLATE_ONLY | {".copier-answers.yml"}
    changed = {name for name, content in copied.items() if files.get(name, content) != content}
    assert changed == AS_IN_THE_PROJECT


def test_the_name_and_the_cloud_change_one_line_each(template: Path, project: Path) -> None:
    files, copied = tracked(template), tracked(project)
    for name, lines in (("pyproject.toml", 1), ("cluster.json", 1), ("uv.lock", 2)):
        old, new = files[name].splitlines(), copied[name].splitlines()
        assert len(old) == len(new)
        assert sum(one != other for one, other in zip(old, new, strict=True)) == lines
    assert b'name = "card-fraud"' in copied["pyproject.toml"]
    assert b"m5d.xlarge" in copied["cluster.json"]


@pytest.mark.parametrize("name", ["Card fraud", "branchline"])
def test_a_name_that_no_distribution_can_have_is_refused(
        template: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(AssertionError, match="Validation error"):
        made(template, tmp_path / "refused", name)


def test_uv_lock_is_that_of_the_project(project: Path) -> None:
    uv = shutil.which("uv", path=PATH)
    assert uv
    done = subprocess.run([uv, "sync", "--locked", "--offline", "--dry-run", "--extra", "local"],
                          cwd=project, capture_output=True, text=True, env=a_persons_shell())
    assert done.returncode == 0, done.stderr


def test_an_update_brings_a_later_version_and_keeps_the_project_s_own_changes(
        template: Path, tmp_path: Path) -> None:
    project = made(template, tmp_path / "card-fraud")
    own, later = "# The project's own line.\n", "\nA line of the template's version 2.\n"
    (project / GUIDE).write_text(own + (project / GUIDE).read_text())
    (project / STEP).unlink()
    (project / "src" / "own.py").write_text(own)
    committed(project, "Our own")

    (template / GUIDE).write_text((template / GUIDE).read_text() + later)
    (template / STEP).write_text((template / STEP).read_text() + "\n# Changed.\n")
    (template / "docs" / "later.md").write_text(later)
    committed(template, "Version 2")
    git(template, "tag", "v2.0.0")

    copier("update", "--defaults", folder=project)
    text = (project / GUIDE).read_text()
    assert text.startswith(own) and text.endswith(later)
    assert (project / "docs" / "later.md").read_text() == later
    assert (project / "src" / "own.py").read_text() == own
    assert 'name = "card-fraud"' in (project / "pyproject.toml").read_text()
    assert "_commit: v2.0.0" in (project / ".copier-answers.yml").read_text()
    assert not (project / STEP).exists()


def in_project(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Python in the project: its own sources, with this environment's libraries."""
    sources = [project / "src", *project.glob("packages/*/src")]
    return subprocess.run(
        [sys.executable, *command], cwd=project, capture_output=True, text=True,
        env={**a_persons_shell("PYTHON"), "PATH": PATH,
             "PYTHONPATH": os.pathsep.join(map(str, sources))})


def test_a_project_passes_its_own_tests_of_name_and_cloud(project: Path) -> None:
    done = in_project(project, "-m", "pytest", "-n", "0", "tests/test_ci_definitions.py",
                      "packages/branchline/tests/config")
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_project_builds_its_wheel_under_its_own_name(project: Path) -> None:
    done = in_project(project, "-m", "branchline.cli.main", "wheel")
    assert done.returncode == 0, done.stderr
    assert "card_fraud-" in done.stdout
