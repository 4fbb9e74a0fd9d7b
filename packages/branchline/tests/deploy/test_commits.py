"""The commits that come with a release, as the evidence lists them."""

from __future__ import annotations

from pathlib import Path

import pytest

from branchline.deploy.plan import commits_between
from support.workspaces import commit, git


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    git(tmp_path / "root", "init", "-q", "-b", "main")
    return tmp_path / "root"


def test_commits_since_the_deployed_one_are_listed_newest_first(root: Path) -> None:
    first, _, last = commit(root, "first"), commit(root, "second"), commit(root, "third")
    found = commits_between(root, first, last)
    assert [line.split(" ", 1)[1] for line in found["commits"]] == ["third", "second"]
    assert found["commits_missing"] is None
    assert len(commits_between(root, None, last)["commits"]) == 3


def test_a_shallow_clone_says_why_it_lists_none_and_what_to_do(root: Path, tmp_path: Path) -> None:
    first, last = commit(root, "first"), commit(root, "second")
    git(tmp_path, "clone", "-q", "--depth", "1", root.as_uri(), str(tmp_path / "shallow"))
    found = commits_between(tmp_path / "shallow", first, last)
    assert found["commits"] == [] and "git fetch --unshallow" in found["commits_missing"]


def test_a_commit_missing_in_the_checkout_is_named(root: Path) -> None:
    last = commit(root, "first")
    found = commits_between(root, "c" * 40, last)
    assert found["commits"] == [] and "c" * 40 in found["commits_missing"]


def test_without_git_the_missing_commits_are_explained(tmp_path: Path) -> None:
    assert "not a git checkout" in commits_between(tmp_path, None, "c" * 40)["commits_missing"]


def test_a_folder_of_a_larger_repository_lists_only_its_own_commits(root: Path) -> None:
    part = root / "apps" / "fraud"
    part.mkdir(parents=True)
    (part / "pyproject.toml").write_text("")
    commit(root, "ours")
    (root / "elsewhere").write_text("")
    found = commits_between(part, None, commit(root, "theirs"))
    assert [line.split(" ", 1)[1] for line in found["commits"]] == ["ours"]
