from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from branchline.branch import Branch, Kind
from branchline.errors import BadInput
from branchline.runs.stale_branches import (Experiment, gone, local_branches, remote_branches,
                                            seen_tag)


def experiment(name: str, active: bool = False, seen: bool = True) -> Experiment:
    return Experiment("1", f"/Shared/p/{name}", Branch("branch", name), active, seen=seen)


def git(folder: Path, *command: str) -> None:
    subprocess.run(["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c",
                    *command], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone with main and feature/x of the remote, and a branch `own` that was never pushed."""
    git(tmp_path, "init", "-b", "main", "remote")
    git(tmp_path / "remote", "commit", "--allow-empty", "-m", "first")
    git(tmp_path / "remote", "branch", "feature/x")
    git(tmp_path, "clone", "remote", "here")
    git(tmp_path / "here", "branch", "own")
    return tmp_path / "here"


def test_a_branch_that_the_remote_no_longer_has_is_gone() -> None:
    found = [experiment("feature/a"), experiment("feature/b")]
    assert gone(found, {"feature/b", "main"}, ()) == [found[0]]


def test_a_branch_that_was_never_on_the_remote_is_not_gone() -> None:
    assert gone([experiment("own", seen=False)], {"main"}, ()) == []


def test_a_branch_given_as_mine_may_never_have_been_on_the_remote() -> None:
    own, other = experiment("own", seen=False), experiment("other", seen=False)
    assert gone([own, other], {"main"}, (), {"own"}) == [own]
    assert gone([own], {"main", "own"}, (), {"own"}) == []
    assert gone([own], {"main"}, ("own",), {"own"}) == []
    assert gone([experiment("own", True, False)], {"main"}, (), {"own"}) == []


@pytest.mark.parametrize(("name", "seen"), [
    ("main", True), ("feature/x", True), ("own", False), ("feature", False), ("x", False),
    ("none", False)])
def test_a_run_s_tag_says_whether_git_knows_its_branch_as_a_remote_s(
        checkout: Path, name: str, seen: bool) -> None:
    assert bool(seen_tag(checkout, Branch("branch", name), {})) == seen


def test_a_branch_that_a_ci_runs_is_on_the_remote(tmp_path: Path) -> None:
    variables = {"BUILD_SOURCEBRANCH": "refs/heads/feature/ci"}
    assert seen_tag(tmp_path, Branch("branch", "feature/ci"), variables) == {
        "branch_remote": "yes"}
    assert seen_tag(tmp_path, Branch("branch", "given"), variables) == {}
    assert seen_tag(tmp_path, Branch("branch", "given"), {"GITHUB_REF": "$(x)"}) == {}


@pytest.mark.parametrize("kind", ["pull-request", "tag", "production"])
def test_only_branches_are_looked_for_on_the_remote(checkout: Path, kind: Kind) -> None:
    assert seen_tag(checkout, Branch(kind, "main"), {}) == {}


def test_the_branches_of_a_checkout_are_its_own_and_not_the_remotes(checkout: Path) -> None:
    assert local_branches(checkout) == {"main", "own"}
    assert local_branches(checkout.parent / "nowhere") == set()


@pytest.mark.parametrize("kept", [
    experiment("main"), experiment("release/1.0"), experiment("feature/a", active=True),
    Experiment("1", "/Shared/p/pull-3", Branch("pull-request", "3"), False),
    Experiment("1", "/Shared/p/tag-v1", Branch("tag", "v1"), False),
    Experiment("1", "/Shared/p/whose", None, False)],
    ids=["main", "pattern", "active run", "fork", "tag", "unknown"])
def test_protected_active_and_unknown_branches_are_never_gone(kept: Experiment) -> None:
    assert gone([kept], {"other"}, ("main", "release/*")) == []


def test_the_remotes_branches_are_listed(checkout: Path) -> None:
    assert remote_branches(checkout, "origin") == {"main", "feature/x"}
    with pytest.raises(BadInput, match="git remote upstream: its branches cannot be listed"):
        remote_branches(checkout, "upstream")


def test_a_remote_s_password_is_not_shown(checkout: Path) -> None:
    git(checkout, "remote", "set-url", "origin", "http://ann:secret@127.0.0.1:9/x")
    with pytest.raises(BadInput) as refused:
        remote_branches(checkout, "origin")
    assert "127.0.0.1:9" in str(refused.value) and "secret" not in str(refused.value)


def test_a_remote_without_branches_does_not_mean_that_all_are_gone(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "remote")], check=True)
    subprocess.run(["git", "clone", "-q", str(tmp_path / "remote"), str(tmp_path / "here")],
                   check=True, capture_output=True)
    with pytest.raises(BadInput, match="it has no branches"):
        remote_branches(tmp_path / "here", "origin")
