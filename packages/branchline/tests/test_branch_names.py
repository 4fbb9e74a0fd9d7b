"""The names that follow from a branch: slug, schema, experiment."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given, strategies as st

from branchline.branch import PRODUCTION, Branch, Kind


@pytest.mark.parametrize(("kind", "name", "slug"), [
    ("branch", "main", "main"),
    ("branch", "merge", "merge"),
    ("branch", "feature-x", "feature-x"),
    ("branch", "fork-pr-12", "fork-pr-12"),
    ("branch", "pull-request-page", "pull-request-page"),
    ("branch", "deadbeef", "deadbeef"),
    ("branch", "a" * 40, "a" * 40),
    ("pull-request", "12", "pull-12"),
    ("tag", "v1", "tag-v1"),
    ("tag", "default", "tag-default"),
])
def test_a_name_that_is_a_slug_stays_as_it_is(kind: Kind, name: str, slug: str) -> None:
    assert Branch(kind, name).slug == slug


# The digits are pinned: another hash would leave every branch without its tables.
@pytest.mark.parametrize(("kind", "name", "slug"), [
    pytest.param("branch", "feature/a/x", "feature-a-x-37857fd3", id="slashes"),
    pytest.param("branch", "Main", "main-4facac82", id="capitals"),
    pytest.param("branch", "information_schema", "information-schema-84ce8ebe", id="underscore"),
    pytest.param("branch", "wip.", "wip-a56affa4", id="trailing-dot"),
    pytest.param("branch", "-a", "a-d7faf2c9", id="leading-dash"),
    pytest.param("branch", "a--b", "a-b-ddbe8629", id="double-dash"),
    pytest.param("branch", 'a<b>|"c"', "a-b-c-4f42abe0", id="no-windows-file-name"),
    pytest.param("branch", "🎉", "branch-ca5fdae3", id="emoji"),
    pytest.param("branch", "a" * 41, "a" * 31 + "-3b8fed7c", id="long"),
    pytest.param("branch", "a" * 30 + "-bcdefghij-k", "a" * 30 + "-f46df756", id="cut-at-a-dash"),
    pytest.param("branch", "x-deadbeef", "x-deadbeef-361fbe8f", id="ends-like-a-hash"),
    pytest.param("branch", "pull-12", "pull-12-85c61a9b", id="called-like-a-pull-request"),
    pytest.param("branch", "tag-v1", "tag-v1-89e7da8e", id="called-like-a-tag"),
    pytest.param("branch", "default", "default-9c7ae485", id="reserved-schema"),
    pytest.param("tag", "v1.2", "tag-v1-2-2c2a9edf", id="tag"),
    pytest.param("tag", "🎉", "tag-8159bd96", id="tag-with-nothing-left"),
    pytest.param("tag", "deadbeef", "tag-deadbeef-13a778ac", id="tag-that-ends-like-a-hash"),
    pytest.param("pull-request", "12345678", "pull-12345678-c2a3023e", id="number-like-a-hash"),
])
def test_a_name_that_is_not_a_slug_gets_a_hash(kind: Kind, name: str, slug: str) -> None:
    assert Branch(kind, name).slug == slug


@pytest.mark.parametrize("name", ["default", "global-temp", "hive-metastore", "information-schema",
                                  "samples", "system"])
def test_a_branch_never_takes_a_schema_of_the_platform(name: str) -> None:
    assert re.fullmatch(name + "-[0-9a-f]{8}", Branch("branch", name).slug)


@pytest.mark.parametrize("name", ["production", "Production", "PRODUCTION", "production/"])
def test_a_branch_called_production_does_not_meet_what_is_deployed(name: str) -> None:
    branch = Branch("branch", name)
    assert branch.slug != PRODUCTION.slug and branch.schema != PRODUCTION.schema
    assert re.fullmatch("production-[0-9a-f]{8}", branch.slug)
    assert branch.experiment("/Shared", "p") != PRODUCTION.experiment("/Shared", "p")
    assert (PRODUCTION.slug, PRODUCTION.schema) == ("production", "production")


@pytest.mark.parametrize("kind", ["branch", "tag", "pull-request"])
def test_no_git_branch_is_production(kind: Kind) -> None:
    assert Branch(kind, "production").slug != PRODUCTION.slug


@pytest.mark.parametrize("root", ["/Shared/ml", "/Workspace/Shared/ml", "/Shared//ml/",
                                  "//Workspace/Shared/ml", "Shared/ml"])
def test_an_experiment_is_an_absolute_path_without_the_workspace_prefix(root: str) -> None:
    assert Branch("branch", "main").experiment(root, "fraud") == "/Shared/ml/fraud/main"


@pytest.mark.parametrize(("root", "expected"), [
    ("/", "/Workspace/main"), ("/Workspace", "/Workspace/main"),
    ("/Workspaces/a", "/Workspaces/a/Workspace/main"),
    ("/Shared/Workspace", "/Shared/Workspace/Workspace/main"),
])
def test_only_a_whole_leading_workspace_folder_of_the_root_is_dropped(
    root: str, expected: str,
) -> None:
    assert Branch("branch", "main").experiment(root, "Workspace") == expected


KINDS: st.SearchStrategy[Kind] = st.sampled_from(["branch", "pull-request", "tag"])
TAKEN = {"default", "global_temp", "hive_metastore", "information_schema", "samples", "system",
         "production"}
PIECES = st.sampled_from(["-", "/", "_", ".", "A", "a", "0", "e", "12", "deadbeef", "pull-",
                          "tag-", "branch-", "default", "x" * 31, "é", "🎉", "\udcff"])
CRAFTED = st.lists(PIECES, max_size=6).map("".join)
NAMES = CRAFTED | st.text(st.characters(exclude_categories=()))
BRANCHES = st.builds(Branch, KINDS, NAMES)


@st.composite
def lookalikes(draw: st.DrawFn) -> tuple[Branch, Branch]:
    """A branch, and one whose name is made from the first one's slug."""
    first = draw(BRANCHES)
    body = draw(st.sampled_from([first.slug, first.slug.removeprefix("tag-"), first.schema,
                                 first.slug.removeprefix("pull-"), first.slug.upper(),
                                 first.slug[:-9], first.name]))
    around = st.just("") | PIECES
    return first, Branch(draw(KINDS), draw(around) + body + draw(around))


@given(st.tuples(BRANCHES, BRANCHES) | lookalikes())
@example((Branch("branch", "Tag"), Branch("tag", Branch("branch", "Tag").slug[4:])))
@example((Branch("pull-request", "x"), Branch("branch", "pull-x")))
@example((Branch("branch", "12"), Branch("tag", "12")))
@example((Branch("branch", "ab"), Branch("branch", "a\u200db")))
@example((Branch("branch", "a\udcfe"), Branch("branch", "a\udcff")))
def test_two_branches_never_share_slug_or_schema(pair: tuple[Branch, Branch]) -> None:
    first, second = pair
    assume(first != second)
    assert first.slug != second.slug
    assert first.schema != second.schema


@given(BRANCHES)
def test_every_slug_is_short_and_plain(branch: Branch) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", branch.slug)
    assert len(branch.slug) <= 40


@given(BRANCHES)
def test_every_schema_is_legal_in_unity_catalog_and_hive_metastore(branch: Branch) -> None:
    for schema in (branch.schema, branch.hashed_schema):
        assert re.fullmatch(r"[a-z0-9_]{1,255}", schema) and schema not in TAKEN


@given(BRANCHES, BRANCHES)
@example(Branch("branch", "files"), Branch("branch", Branch("branch", "files").hashed_schema))
def test_no_other_branch_has_the_hashed_schema(first: Branch, second: Branch) -> None:
    assume(first != second)
    assert first.hashed_schema not in (second.schema, second.hashed_schema)


@given(BRANCHES)
def test_every_experiment_name_is_legal(branch: Branch) -> None:
    *folders, last = branch.experiment("/Workspace/Users/ana@example.org", "fraud").split("/")
    assert folders == ["", "Users", "ana@example.org", "fraud"]
    assert not set(last) & set(". :")
