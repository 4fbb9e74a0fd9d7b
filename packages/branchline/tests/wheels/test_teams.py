"""Two repositories that publish to one volume never meet."""

from __future__ import annotations

from pathlib import Path

import pytest

from branchline.deploy.deployment import Deployment, State
from branchline.deploy.journal import Journal
from branchline.errors import BadInput
from branchline.wheels.build import build, install_order
from branchline.wheels.destinations import Destination, LocalFolder
from branchline.wheels.publish import publish_checkout
from branchline.wheels.published import look_up, published, remove, unused, verified
from branchline.wheels.source import source_of
from support.clone import PATH
from support.workspaces import commit, git, uv_workspace

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", PATH)


@pytest.fixture
def volume(tmp_path: Path) -> Destination:
    return LocalFolder(tmp_path / "volume")


def test_teams_of_other_names_keep_their_own_branchline_and_remove_only_their_wheels(
        tmp_path: Path, volume: Destination) -> None:
    ours, theirs = uv_workspace(tmp_path / "a"), uv_workspace(tmp_path / "b", "team-b")
    for root in (ours, theirs):
        publish_checkout(root, volume)
        commit(root)
        made = publish_checkout(root, volume)
        assert [artifact.name for artifact in made.artifacts] == [
            "branchline", root.name.replace("a", "team_a").replace("b", "team_b")]
    before = published("team_b", volume)
    Journal("team_a", "greeting", volume).begin(Deployment(1, State(), None, None, "ci"))
    for version in unused(published("team_a", volume), 1, []):
        remove(version, volume)
    assert len(published("team_a", volume)) == 1 and published("team_b", volume) == before
    assert all(verified(artifact, volume) for version in before for artifact in version.artifacts)
    assert Journal("team_b", "greeting", volume).newest() is None


def test_a_second_repository_of_the_same_name_is_refused_in_one_line(
        tmp_path: Path, volume: Destination) -> None:
    ours = uv_workspace(tmp_path / "a")
    publish_checkout(ours, volume)
    with pytest.raises(BadInput, match="give this project another name .* or another `wheels`"):
        publish_checkout(uv_workspace(tmp_path / "b", says="something else"), volume)
    assert len(published("team_a", volume)) == 1
    commit(ours)
    git(tmp_path, "clone", "-q", str(ours), str(tmp_path / "clone"))
    publish_checkout(tmp_path / "clone", volume)
    assert len(published("team_a", volume)) == 2


def test_two_clones_publish_the_same_bytes_whatever_their_line_ends(
        tmp_path: Path, volume: Destination) -> None:
    root = uv_workspace(tmp_path / "a")
    git(tmp_path, "-c", "core.autocrlf=true", "clone", "-q", str(root), str(tmp_path / "crlf"))
    git(tmp_path / "crlf", "config", "core.autocrlf", "true")
    built = [build(each, tmp_path / f"out-{each.name}") for each in (root, tmp_path / "crlf")]
    assert [[file.name for file in files] for files in built] == [
        [f"branchline-7.1+g{commit_of(root)}-py3-none-any.whl",
         f"team_a-0.3.0+g{commit_of(root)}-py3-none-any.whl"]] * 2
    assert built[0][0].read_bytes() == built[1][0].read_bytes()
    assert built[0][1].read_bytes() == built[1][1].read_bytes()


def commit_of(root: Path) -> str:
    return str(source_of(root).commit)[:12]


def test_a_publisher_that_was_killed_between_two_wheels_is_completed_by_the_next(
        tmp_path: Path, volume: Destination) -> None:
    root = uv_workspace(tmp_path / "a")
    first, own = publish_checkout(root, volume).artifacts
    for artifact in (first, own):
        volume.delete(str(artifact.path))
        assert publish_checkout(root, volume).artifacts == (first, own)
        assert verified(artifact, volume)


def test_wheels_are_put_in_installation_order_and_a_missing_one_is_refused(
        tmp_path: Path) -> None:
    root = uv_workspace(tmp_path / "a")
    files = [tmp_path / f"{name}-1.0-py3-none-any.whl" for name in ("branchline", "team_a", "x")]
    for file in files:
        file.touch()
    assert install_order([files[1], files[0]], root) == (files[0], files[1])
    for wrong in (files[1:2], files, [files[0], files[0], files[1]]):
        with pytest.raises(BadInput, match="expected one of each of branchline, team_a"):
            install_order(wrong, root)
    assert look_up("team_a", "1.0", LocalFolder(tmp_path)) is None
