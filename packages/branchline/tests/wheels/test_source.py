"""The state of sources depends on their content, whatever git is configured to report."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from packaging.version import Version

from branchline.errors import BadInput
from branchline.wheels.source import snapshot, source_of
from support.workspaces import commit, git, uv_workspace

SAYS = Path("src") / "team_a" / "__init__.py"
KEPT = Path("packages") / "branchline" / "src" / "kept" / "__init__.py"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return uv_workspace(tmp_path / "checkout")


def test_a_clean_commit_gives_its_version(checkout: Path) -> None:
    source = source_of(checkout)
    assert not source.dirty and source.commit == git(checkout, "rev-parse", "HEAD")
    assert source.version == f"0.3.0+g{source.commit[:12]}"


def test_every_change_of_a_wheel_s_files_changes_the_version(checkout: Path) -> None:
    versions = {source_of(checkout).version}
    for file, text in ((SAYS, "x = 2\n"), (SAYS, "x = 3\n"), (KEPT, "x = 4\n"),
                       (SAYS.with_name("new.py"), "")):
        (checkout / file).write_text(text)
        source = source_of(checkout)
        assert source.dirty
        versions.add(source.version)
    assert len(versions) == 5
    assert all(Version(version).release == (0, 3, 0) for version in versions)


@pytest.mark.parametrize(("file", "dirty"), [
    ("tests/test_it.py", False), ("docs/new.md", False),
    ("packages/for-tests/src/tried/__init__.py", False),
    ("mlflow-notebooks/it/main.py", True), ("mlflow-notebooks/it/new.py", True),
    ("uv.lock", True), ("packages/branchline/pyproject.toml", True)])
def test_only_files_that_decide_what_runs_make_a_tree_dirty(
        checkout: Path, file: str, dirty: bool) -> None:
    (checkout / file).parent.mkdir(exist_ok=True)
    with (checkout / file).open("a") as opened:
        opened.write("# changed\n")
    assert source_of(checkout).dirty is dirty


def test_untracked_files_count_where_git_s_status_does_not_show_them(checkout: Path) -> None:
    git(checkout, "config", "status.showUntrackedFiles", "no")
    assert not source_of(checkout).dirty
    (checkout / SAYS).with_name("new.py").write_text("")
    assert git(checkout, "status", "--porcelain") == "" and source_of(checkout).dirty


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
@pytest.mark.parametrize("text", ["changed\n", None])
def test_a_change_that_git_is_configured_to_ignore_counts(
        checkout: Path, flag: str, text: str | None) -> None:
    git(checkout, "update-index", flag, str(SAYS))
    (checkout / SAYS).write_text(text) if text else (checkout / SAYS).unlink()
    assert git(checkout, "status", "--porcelain") == "" and source_of(checkout).dirty


def test_line_ends_of_the_checkout_change_neither_version_nor_files(
        checkout: Path, tmp_path: Path) -> None:
    other = tmp_path / "windows"
    git(tmp_path, "-c", "core.autocrlf=true", "clone", "-q", str(checkout), str(other))
    git(other, "config", "core.autocrlf", "true")
    assert b"\r\n" in (other / SAYS).read_bytes()
    assert snapshot(other) == snapshot(checkout)
    assert b"\r" not in snapshot(other).files[str(SAYS)]


def test_a_symbolic_link_out_of_the_compared_files_is_dirty(checkout: Path) -> None:
    (checkout / "tests" / "said.py").write_text("SAYS = 1\n")
    (checkout / SAYS).with_name("said.py").symlink_to("../../tests/said.py")
    (checkout / SAYS).with_name("same.py").symlink_to("__init__.py")
    commit(checkout)
    assert source_of(checkout).dirty
    (checkout / SAYS).with_name("said.py").unlink()
    commit(checkout)
    assert not source_of(checkout).dirty


def test_a_download_inside_another_checkout_has_none_of_its_commits(tmp_path: Path) -> None:
    outer = uv_workspace(tmp_path / "outer", "outer")
    (outer / ".gitignore").write_text("unpacked/\n")
    commit(outer)
    for name in ("unpacked", "shown"):
        source = source_of(uv_workspace(outer / name, in_git=False))
        assert source.commit is None and source.dirty and source.version.startswith("0.3.0+d")


def test_in_a_folder_of_a_larger_repository_only_its_own_files_and_commits_count(
        tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    part = uv_workspace(tmp_path / "apps" / "fraud", in_git=False)
    own = commit(tmp_path)
    before = source_of(part)
    assert before.commit == own and not before.dirty
    (tmp_path / "elsewhere.py").write_text("")
    (tmp_path / "src").mkdir()
    assert source_of(part) == before
    commit(tmp_path)
    assert source_of(part) == before
    (part / KEPT).write_text("KEPT = '?'\n")
    assert source_of(part).commit == own and source_of(part).dirty
    assert commit(tmp_path) == source_of(part).commit and not source_of(part).dirty


def test_a_checkout_of_another_user_is_refused_in_git_s_own_words(
        checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(BadInput, match="dubious ownership .* git config --global --add safe.dir"):
        source_of(checkout)


def test_a_hook_s_variables_do_not_lead_to_another_repository(
        checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = source_of(checkout)
    other = uv_workspace(tmp_path / "other", "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert source_of(checkout) == before


def test_a_folder_without_git_is_dirty_and_its_version_tells_its_content(
        checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")
    source = source_of(checkout)
    assert source.commit is None and source.dirty and source.version.startswith("0.3.0+d")
    (checkout / KEPT).write_text("")
    assert source_of(checkout).version != source.version


def test_a_shallow_clone_has_the_version_of_its_commit(checkout: Path, tmp_path: Path) -> None:
    commit(checkout)
    git(tmp_path, "clone", "-q", "--depth", "1", checkout.as_uri(), str(tmp_path / "shallow"))
    assert source_of(tmp_path / "shallow") == source_of(checkout)


def test_a_folder_without_a_project_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="pyproject.toml: cannot be read"):
        source_of(tmp_path)
