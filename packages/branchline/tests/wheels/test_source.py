from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from packaging.version import Version

from branchline.ci.identify import started_by
from branchline.errors import BadInput
from branchline.wheels.source import source_of


def git(root: Path, *command: str) -> None:
    author = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", str(root), *author, *command], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.2.0"\n')
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "x.py").write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_a_clean_commit_gives_its_version(checkout: Path) -> None:
    source = source_of(checkout)
    assert not source.dirty and source.commit is not None
    assert source.version == f"1.2.0+g{source.commit[:12]}"


def test_every_change_of_a_dirty_tree_changes_the_version(checkout: Path) -> None:
    versions = {source_of(checkout).version}
    for text in ("x = 2\n", "x = 3\n"):
        (checkout / "src" / "x.py").write_text(text)
        source = source_of(checkout)
        assert source.dirty
        versions.add(source.version)
    (checkout / "src" / "new.py").write_text("")
    versions.add(source_of(checkout).version)
    assert len(versions) == 4
    assert all(Version(version).release == (1, 2, 0) for version in versions)


def test_a_folder_without_git_is_dirty_and_has_a_version(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.0"\n')
    source = source_of(tmp_path)
    assert source.commit is None and source.dirty and source.version.startswith("1.0+d")


def test_a_folder_without_a_project_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="pyproject.toml: cannot be read"):
        source_of(tmp_path)


@pytest.mark.parametrize(("variables", "name"), [
    ({"BUILD_BUILDID": "12"}, "build 12"),
    ({"BUILD_BUILDID": "12", "SYSTEM_COLLECTIONURI": "https://ci/", "SYSTEM_TEAMPROJECT": "p"},
     "https://ci/p/_build/results?buildId=12"),
    ({"GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "o/r", "GITHUB_SERVER_URL": "https://g"},
     "https://g/o/r/actions/runs/7/attempts/1"),
    ({"CI_JOB_URL": "https://gl/1"}, "https://gl/1"),
])
def test_a_build_is_named_by_its_address(variables: dict[str, str], name: str) -> None:
    assert started_by(variables) == name


def test_without_a_build_the_user_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "someone")
    assert started_by({}) == "someone"
