from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from branchline.branch import Branch
from branchline.errors import BadInput
from branchline.runs.stale_branches import Experiment, gone, remote_branches


def experiment(name: str, active: bool = False) -> Experiment:
    return Experiment("1", f"/Shared/p/{name}", Branch("branch", name), active)


def test_a_branch_that_the_remote_no_longer_has_is_gone() -> None:
    found = [experiment("feature/a"), experiment("feature/b")]
    assert gone(found, {"feature/b", "main"}, ()) == [found[0]]


@pytest.mark.parametrize("kept", [
    experiment("main"), experiment("release/1.0"), experiment("feature/a", active=True),
    Experiment("1", "/Shared/p/pull-3", Branch("pull-request", "3"), False),
    Experiment("1", "/Shared/p/tag-v1", Branch("tag", "v1"), False),
    Experiment("1", "/Shared/p/whose", None, False)],
    ids=["main", "pattern", "active run", "fork", "tag", "unknown"])
def test_what_is_protected_active_or_of_no_known_branch_is_never_gone(kept: Experiment) -> None:
    assert gone([kept], {"other"}, ("main", "release/*")) == []


def test_the_remotes_branches_are_asked_for(tmp_path: Path) -> None:
    def git(*command: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c",
                        *command], check=True, capture_output=True)
    git("init", "-b", "main", "remote")
    git("-C", "remote", "commit", "--allow-empty", "-m", "first")
    git("-C", "remote", "branch", "feature/x")
    git("clone", "remote", "here")
    assert remote_branches(tmp_path / "here", "origin") == {"main", "feature/x"}
    with pytest.raises(BadInput, match="git remote upstream: cannot tell its branches"):
        remote_branches(tmp_path / "here", "upstream")


def test_a_remote_without_branches_does_not_mean_that_all_are_gone(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "remote")], check=True)
    subprocess.run(["git", "clone", "-q", str(tmp_path / "remote"), str(tmp_path / "here")],
                   check=True, capture_output=True)
    with pytest.raises(BadInput, match="it has no branches"):
        remote_branches(tmp_path / "here", "origin")
