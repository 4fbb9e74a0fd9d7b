"""Branch identity: what CI and git say of it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from branchline.branch import Branch
from branchline.ci.identify import current_branch, identify
from branchline.errors import BadInput, UnknownBranch

# --- what the CI systems inject, by situation ---------------------------------------------------


def azure(reason: str, ref: str, **pull_request: str) -> dict[str, str]:
    """An Azure Pipelines run; SourceBranchName is there as the trap it is."""
    pull = {f"SYSTEM_PULLREQUEST_{name}": text for name, text in pull_request.items()}
    return {"BUILD_REASON": reason, "BUILD_SOURCEBRANCH": ref,
            "BUILD_SOURCEBRANCHNAME": ref.rsplit("/", 1)[-1], **pull}


def github(event: str, ref: str, head: str = "") -> dict[str, str]:
    """A GitHub Actions run; HEAD_REF is empty outside pull requests."""
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_REF": ref,
            "GITHUB_REF_NAME": ref.split("/", 2)[-1], "GITHUB_HEAD_REF": head}


def payload(head: str | None, *, base: str = "team/shop", fork: bool = False) -> dict[str, Any]:
    """The part of GitHub's event 12 that tells a fork; `head` None is a deleted one."""
    head_repo = None if head is None else {"full_name": head, "fork": fork}
    return {"pull_request": {"number": 12, "head": {"repo": head_repo},
                             "base": {"repo": {"full_name": base}}}}


def gitlab_merge_request(source: str, source_project: str) -> dict[str, str]:
    """A merge request pipeline of project 5."""
    return {"CI_MERGE_REQUEST_IID": "12", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": source,
            "CI_MERGE_REQUEST_PROJECT_ID": "5", "CI_COMMIT_REF_NAME": source,
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source_project}


PULL = "refs/pull/12/merge"
PULL_12 = Branch("pull-request", "12")
FEATURE = Branch("branch", "feature/a/x")
TAG = Branch("tag", "v1.2")
OURS = payload("team/shop")
THEIRS = payload("stranger/shop", fork=True)

SITUATIONS: dict[str, tuple[Mapping[str, str], dict[str, Any], Branch]] = {
    "laptop": ({}, {"head": "refs/heads/feature/a/x"}, FEATURE),
    "laptop-with-branch-given": ({}, {"given": "feature/a/x", "head": "refs/heads/main"}, FEATURE),
    "branch-given-as-ref": ({}, {"given": "refs/heads/feature/a/x"}, FEATURE),
    "tag-given-as-ref": ({}, {"given": "refs/tags/v1.2"}, TAG),
    "pull-request-given-as-ref": ({}, {"given": PULL}, PULL_12),
    "branch-given-wins-over-ci":
        (azure("Manual", "refs/heads/main"), {"given": "feature/a/x"}, FEATURE),
    "ci-wins-over-git":
        (azure("Manual", "refs/heads/feature/a/x"), {"head": "refs/heads/main"}, FEATURE),
    "branch-that-is-called-refs-heads-main":
        ({}, {"head": "refs/heads/refs/heads/main"}, Branch("branch", "refs/heads/main")),
    "branch-with-refs-heads-in-the-middle":
        ({}, {"head": "refs/heads/x/refs/heads/main"}, Branch("branch", "x/refs/heads/main")),
    "branch-called-merge": ({}, {"head": "refs/heads/merge"}, Branch("branch", "merge")),
    "branch-called-like-the-merge-ref":
        ({}, {"head": f"refs/heads/{PULL}"}, Branch("branch", PULL)),

    "azure-push": (azure("IndividualCI", "refs/heads/feature/a/x"), {}, FEATURE),
    "azure-push-in-a-batch": (azure("BatchedCI", "refs/heads/main"), {}, Branch("branch", "main")),
    "azure-push-with-empty-pull-request-variables":
        (azure("IndividualCI", "refs/heads/feature/a/x", SOURCEBRANCH="", ISFORK="False"),
         {}, FEATURE),
    "azure-pull-request-from-azure-repos":
        (azure("PullRequest", PULL, SOURCEBRANCH="refs/heads/feature/a/x", PULLREQUESTID="12",
               ISFORK="False"), {}, FEATURE),
    "azure-pull-request-from-github":
        (azure("PullRequest", PULL, SOURCEBRANCH="feature/a/x", PULLREQUESTID="98765",
               PULLREQUESTNUMBER="12", ISFORK="False"), {}, FEATURE),
    "azure-pull-request-with-refs-heads-in-the-middle":
        (azure("PullRequest", PULL, SOURCEBRANCH="refs/heads/x/refs/heads/main",
               PULLREQUESTID="12", ISFORK="False"), {}, Branch("branch", "x/refs/heads/main")),
    "azure-fork-of-azure-repos":
        (azure("PullRequest", PULL, SOURCEBRANCH="refs/heads/main", PULLREQUESTID="12",
               ISFORK="True"), {}, PULL_12),
    "azure-fork-of-github":
        (azure("PullRequest", PULL, SOURCEBRANCH="main", PULLREQUESTID="98765",
               PULLREQUESTNUMBER="12", ISFORK="True"), {}, PULL_12),
    "azure-pull-request-that-does-not-say-whether-it-is-a-fork":
        (azure("PullRequest", PULL, SOURCEBRANCH="main", PULLREQUESTID="12"), {}, PULL_12),
    "azure-pull-request-known-by-its-ref-only": (azure("PullRequest", PULL), {}, PULL_12),
    "azure-manual-run-on-a-merge-ref": (azure("Manual", PULL), {}, PULL_12),
    "azure-tag": (azure("IndividualCI", "refs/tags/v1.2"), {}, TAG),
    "azure-schedule": (azure("Schedule", "refs/heads/feature/a/x"), {}, FEATURE),
    "azure-queued-with-a-short-name": (azure("UserCreated", "feature/a/x"), {}, FEATURE),

    "github-push": (github("push", "refs/heads/feature/a/x"), {}, FEATURE),
    "github-pull-request":
        (github("pull_request", PULL, "feature/a/x"), {"event": OURS}, FEATURE),
    "github-pull-request-in-a-repository-that-is-a-fork-itself":
        (github("pull_request", PULL, "feature/a/x"),
         {"event": payload("team/shop", fork=True)}, FEATURE),
    "github-pull-request-of-a-branch-called-refs-heads-main":
        (github("pull_request", PULL, "refs/heads/main"), {"event": OURS},
         Branch("branch", "refs/heads/main")),
    "github-fork": (github("pull_request", PULL, "main"), {"event": THEIRS}, PULL_12),
    "github-fork-that-was-deleted":
        (github("pull_request", PULL, "main"), {"event": payload(None)}, PULL_12),
    "github-pull-request-without-payload":
        (github("pull_request", PULL, "feature/a/x"), {}, PULL_12),
    "github-fork-on-pull-request-target":
        (github("pull_request_target", "refs/heads/main", "main"), {"event": THEIRS}, PULL_12),
    "github-fork-on-pull-request-target-without-its-branch":
        (github("pull_request_target", "refs/heads/main"), {"event": THEIRS}, PULL_12),
    "github-pull-request-after-its-merge":
        (github("pull_request", "refs/heads/main", "feature/a/x"), {"event": OURS}, FEATURE),
    "github-review": (github("pull_request_review", PULL), {"event": OURS}, PULL_12),
    "github-tag": (github("push", "refs/tags/v1.2"), {}, TAG),
    "github-dispatch": (github("workflow_dispatch", "refs/heads/feature/a/x"), {}, FEATURE),
    "github-schedule": (github("schedule", "refs/heads/main"), {}, Branch("branch", "main")),
    "github-merge-queue":
        (github("merge_group", "refs/heads/gh-readonly-queue/main/pr-12-0a1b"), {},
         Branch("branch", "gh-readonly-queue/main/pr-12-0a1b")),

    "gitlab-branch": ({"CI_COMMIT_BRANCH": "feature/a/x"}, {}, FEATURE),
    "gitlab-merge-request": (gitlab_merge_request("feature/a/x", "5"), {}, FEATURE),
    "gitlab-fork": (gitlab_merge_request("main", "6"), {}, PULL_12),
    "gitlab-fork-that-was-deleted": (gitlab_merge_request("main", ""), {}, PULL_12),
    "gitlab-merge-request-that-does-not-say-whether-it-is-a-fork":
        ({"CI_MERGE_REQUEST_IID": "12", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "main"}, {},
         PULL_12),
    "gitlab-tag": ({"CI_COMMIT_TAG": "v1.2", "CI_COMMIT_REF_NAME": "v1.2"}, {}, TAG),
}


@pytest.mark.parametrize(("environment", "more", "expected"), SITUATIONS.values(), ids=SITUATIONS)
def test_every_situation_names_its_branch(
    environment: Mapping[str, str], more: dict[str, Any], expected: Branch,
) -> None:
    assert identify(environment, **more) == expected


@pytest.mark.parametrize(("environment", "more"), [
    pytest.param({}, {}, id="detached-head"),
    pytest.param({"GITHUB_REF": " ", "BUILD_SOURCEBRANCH": ""}, {}, id="blank-variables"),
    pytest.param({}, {"head": "refs/bisect/bad"}, id="head-on-no-branch"),
    pytest.param(azure("Manual", "refs/notes/commits"), {}, id="ref-of-another-kind"),
    pytest.param(github("push", "refs/heads/"), {}, id="ref-without-a-name"),
    pytest.param(github("pull_request_target", "refs/heads/main", "main"), {}, id="no-number"),
])
def test_the_error_for_an_unknown_branch_says_what_to_pass_in_one_line(
    environment: Mapping[str, str], more: dict[str, Any],
) -> None:
    with pytest.raises(UnknownBranch, match=r"\A[^\n]*--branch NAME\Z"):
        identify(environment, **more)


@pytest.mark.parametrize(("environment", "named", "culprit"), [
    pytest.param(azure("IndividualCI", "refs/heads/main",
                       SOURCEBRANCH="$(System.PullRequest.SourceBranch)"), None,
                 "SYSTEM_PULLREQUEST_SOURCEBRANCH", id="azure-pull-request"),
    pytest.param(azure("Manual", "refs/heads/$(branch)"), None, "BUILD_SOURCEBRANCH", id="inside"),
    pytest.param({}, "$(System.PullRequest.SourceBranch)", "--branch", id="given"),
])
def test_a_macro_that_was_not_replaced_is_refused(
    environment: Mapping[str, str], named: str | None, culprit: str,
) -> None:
    with pytest.raises(BadInput, match=re.escape(culprit)):
        identify(environment, given=named, head="refs/heads/main")


@pytest.mark.parametrize("named", [
    "", "  ", "\u3000", "a b", "a\nb", "a\x7f", "a..b", "a~1", "a^", "a:b", "a?", "a*", "a[b",
    "a\\b", "--dry-run", "HEAD",
])
def test_a_given_name_that_git_would_refuse_is_refused_in_one_line(named: str) -> None:
    with pytest.raises(BadInput, match=r"\A--branch: [^\n]+\Z"):
        identify({}, given=named)


def test_identify_reads_nothing_but_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REF", "refs/heads/elsewhere")
    assert identify({}, head="refs/heads/main") == Branch("branch", "main")


# --- the edge: a real checkout, a real event file -----------------------------------------------


def git(directory: Path, *arguments: str) -> None:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *arguments], cwd=directory, check=True, capture_output=True)


def test_a_checkout_names_its_branch_unless_detached(tmp_path: Path) -> None:
    git(tmp_path, "init")
    git(tmp_path, "checkout", "-b", "feature/a/x")
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    assert current_branch(tmp_path, None, {}) == FEATURE
    git(tmp_path, "checkout", "--detach")
    with pytest.raises(UnknownBranch):
        current_branch(tmp_path, None, {})
    assert current_branch(tmp_path, "feature/a/x", {}) == FEATURE


def test_a_branch_without_a_commit_has_its_name(tmp_path: Path) -> None:
    git(tmp_path, "init")
    git(tmp_path, "symbolic-ref", "HEAD", "refs/heads/feature/a/x")
    assert current_branch(tmp_path, None, {}) == FEATURE


def test_a_folder_without_git_knows_no_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UnknownBranch):
        current_branch(tmp_path, None, {})


def test_without_git_the_branch_of_the_ci_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert current_branch(tmp_path, None, {"CI_COMMIT_BRANCH": "feature/a/x"}) == FEATURE
    with pytest.raises(UnknownBranch):
        current_branch(tmp_path, None, {})


@pytest.mark.parametrize(("text", "expected"), [
    pytest.param(json.dumps(OURS), FEATURE, id="own-branch"),
    pytest.param(json.dumps(THEIRS), PULL_12, id="fork"),
    pytest.param("{", PULL_12, id="not-json"),
    pytest.param("[]", PULL_12, id="no-object"),
    pytest.param(None, PULL_12, id="no-file"),
])
def test_the_event_file_marks_a_fork_and_an_unreadable_one_counts_as_a_fork(
    tmp_path: Path, text: str | None, expected: Branch,
) -> None:
    file = tmp_path / "event.json"
    if text is not None:
        file.write_text(text, "utf-8")
    environment = {**github("pull_request", PULL, "feature/a/x"), "GITHUB_EVENT_PATH": str(file)}
    assert current_branch(tmp_path, None, environment) == expected
