from __future__ import annotations

from pathlib import Path

import pytest

from branchline.errors import BadInput
from branchline.wheels.distributions import distributions
from branchline.wheels.pyproject import project_name
from branchline.wheels.required import locked, requirements
from support.workspaces import uv_workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return uv_workspace(tmp_path / "root", in_git=False)


def edited(root: Path, old: str, new: str) -> None:
    file = root / "pyproject.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_required_members_come_before_the_root_and_members_for_tests_are_left_out(
        root: Path) -> None:
    assert [(one.folder, one.name, one.version) for one in distributions(root)] == [
        ("packages/branchline", "branchline", "7.1"), ("", "team_a", "0.3.0")]


def test_a_member_that_another_member_requires_comes_first(root: Path) -> None:
    kept = root / "packages" / "branchline" / "pyproject.toml"
    kept.write_text(kept.read_text().replace('["packaging"]', '["for-tests"]'))
    assert [one.name for one in distributions(root)] == ["for_tests", "branchline", "team_a"]


def test_other_requirements_include_those_of_members_extras(root: Path) -> None:
    assert requirements(root) == ("packaging", "pyyaml>=6", "click>=8.1")


def test_a_renamed_project_is_found_under_its_new_name(root: Path) -> None:
    edited(root, 'name = "team-a"', 'name = "Our.Scores"')
    assert project_name(root) == "our_scores" and distributions(root)[-1].name == "our_scores"


def of_the_index(root: Path, lock: str) -> None:
    edited(root, "branchline = { workspace = true }\n", "")
    (root / "uv.lock").write_text(f'version = 1\n{lock}')


def test_branchline_from_the_index_is_required_in_the_locked_version(root: Path) -> None:
    of_the_index(root, '[[package]]\nname = "branchline"\nversion = "7.0.2"\nsource = '
                       '{ registry = "https://example.com/simple" }\n')
    assert [one.name for one in distributions(root)] == ["team_a"]
    assert [(each.kind, each.reference) for each in locked(root)] == [
        ("package", "branchline==7.0.2")]
    assert requirements(root) == ("branchline==7.0.2", "click>=8.1")


@pytest.mark.parametrize("lock", ["", '[[package]]\nname = "branchline"\nversion = "7"\nsource = '
                                      '{ editable = "../branchline" }\n'])
def test_a_branchline_that_no_workspace_can_install_is_an_error_of_one_line(
        root: Path, lock: str) -> None:
    of_the_index(root, lock)
    with pytest.raises(BadInput, match="neither a workspace member nor locked"):
        locked(root)


def test_a_workspace_member_is_not_required_from_the_index(root: Path) -> None:
    assert locked(root) == ()


@pytest.mark.parametrize(("old", "new", "said"), [
    ('version = "0.3.0"  # note', 'dynamic = ["version"]', "its version is dynamic; expected a li"),
    ('version = "0.3.0"  # note', "", r"\[project\] has no version"),
    ('name = "team-a"', "", r"\[project\] has no name"),
    ('"0.3.0"  # note', '"0.3.0+ours"', "without a . part"),
    ('"0.3.0"  # note', '"three"', "version 'three'; expected one such as 1.2.0"),
    ('members = ["packages/*"]', "members = []", "has no member called"),
    ('"click>=8.1"', '"click >= "', "dependency 'click >= ' is not valid"),
    ("[project]", "[project", "cannot be read as a project with a name")])
def test_a_project_that_cannot_be_built_is_an_error_of_one_line(
        root: Path, old: str, new: str, said: str) -> None:
    edited(root, old, new)
    with pytest.raises(BadInput, match=said) as refused:
        distributions(root)
    assert "\n" not in str(refused.value)
