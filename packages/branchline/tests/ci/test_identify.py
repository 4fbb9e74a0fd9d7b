from __future__ import annotations

from pathlib import Path

import pytest

from branchline.ci.identify import current_branch, started_by
from branchline.errors import BadInput, UnknownBranch
from support.workspaces import commit, uv_workspace


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


def test_a_download_inside_another_checkout_does_not_take_its_branch(tmp_path: Path) -> None:
    outer = uv_workspace(tmp_path / "outer", "outer")
    inner = uv_workspace(outer / "unpacked", in_git=False)
    assert current_branch(outer, None, {}).name == "main"
    with pytest.raises(UnknownBranch, match="no git checkout"):
        current_branch(inner, None, {})
    commit(outer)
    assert current_branch(inner, None, {}).name == "main"  # now it is a part of it


def test_a_checkout_of_another_user_is_refused_in_git_s_own_words(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = uv_workspace(tmp_path / "root")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(BadInput, match="git config --global --add safe.directory"):
        current_branch(root, None, {})
    assert current_branch(root, None, {"CI_COMMIT_BRANCH": "a"}).name == "a"
