"""Finds branches that are gone, by their experiments and the remote's branches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from branchline.branch import Branch, Kind
from branchline.ci import github
from branchline.ci.identify import ci_branch
from branchline.errors import BadInput
from branchline.git import git, git_or_reason
from branchline.runs.answers import answered
from branchline.runs.tracking import Tracking
from branchline.text import without_credentials

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment as MlflowExperiment, Run

__all__ = ["Experiment", "experiments", "gone", "local_branches", "remote_branches", "seen_tag"]

ACTIVE = ("RUNNING", "SCHEDULED")
SEEN = {"branch_remote": "yes"}


@dataclass(frozen=True)
class Experiment:
    """A branch's experiment: its branch, whether a run is active, the wheels it ran with.

    `branch` is None where no run names it; such an experiment is never removed. `seen` tells
    whether a run of it found the branch on the remote.
    """

    id: str
    name: str
    branch: Branch | None
    active: bool
    wheels: frozenset[str] = frozenset()
    seen: bool = False


def experiments(tracking: Tracking, experiment_root: str) -> list[Experiment]:
    """All branches' experiments below the root, by the tags of their runs."""
    client = tracking.client()
    with answered(f"experiments below {experiment_root}"):
        found = client.search_experiments(filter_string=f"name LIKE '{experiment_root}/%'")
        return [_described(experiment, client) for experiment in found]


def _described(experiment: MlflowExperiment, client: MlflowClient) -> Experiment:
    runs = list(_runs(client, experiment.experiment_id))
    tags = [run.data.tags for run in runs]
    branches = (Branch(cast(Kind, tag["branch_kind"]), tag["branch"]) for tag in tags
                if "branch" in tag and tag.get("branch_kind") in get_args(Kind))
    slug = experiment.name.rpartition("/")[2]
    return Experiment(
        experiment.experiment_id, experiment.name,
        next((branch for branch in branches if branch.slug == slug), None),
        any(run.info.status in ACTIVE for run in runs),
        frozenset(tag["wheel_version"] for tag in tags if "wheel_version" in tag),
        any(SEEN.items() <= tag.items() for tag in tags))


def _runs(client: MlflowClient, experiment_id: str) -> Iterator[Run]:
    page: str | None = ""
    while page is not None:
        found = client.search_runs([experiment_id], page_token=page or None)
        yield from found
        page = found.token or None


def seen_tag(root: Path, branch: Branch, environment: Mapping[str, str]) -> dict[str, str]:
    """The tag of a run whose branch is on a remote: a CI runs it, or git has a remote branch."""
    if branch.kind != "branch":
        return {}
    if _ci_branch(environment) == branch or _lines(
            root, "for-each-ref", "--count=1", f"refs/remotes/*/{branch.name}"):
        return dict(SEEN)
    return {}


def _ci_branch(environment: Mapping[str, str]) -> Branch | None:
    try:
        return ci_branch(environment, github.event(environment))
    except BadInput:  # then --branch gave the branch
        return None


def local_branches(root: Path) -> set[str]:
    """Names of the branches that this checkout has."""
    return set(_lines(root, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"))


def _lines(root: Path, *command: str) -> list[str]:
    return (git(root, *command) or b"").decode("utf-8", "surrogateescape").splitlines()


def remote_branches(root: Path, remote: str) -> set[str]:
    """Names of the branches that the git remote has now.

    Raises:
        BadInput: git cannot list them, or lists none.
    """
    answer, reason = git_or_reason(root, "ls-remote", "--heads", "--", remote)
    lines = (answer or b"").decode("utf-8", "surrogateescape").splitlines()
    heads = {line.split("\t")[1].removeprefix("refs/heads/") for line in lines}
    if not heads:
        said = without_credentials(reason) or "it has no branches"
        raise BadInput(f"git remote {remote}: its branches cannot be listed: {said}. Nothing "
                       "was removed.")
    return heads


def gone(experiments: Iterable[Experiment], alive: Collection[str], protected: Iterable[str],
         mine: Collection[str] = ()) -> list[Experiment]:
    """The experiments of branches that the remote no longer has, unless protected or active.

    Args:
        alive: the names of the branches that exist, on the remote or in this checkout.
        protected: patterns of names, such as `release/*`, that are kept in any case.
        mine: names of branches that may never have been on the remote.
    """
    patterns = tuple(protected)
    slugs = {Branch("branch", name).slug for name in alive}
    return [found for found in experiments
            if found.branch is not None
            and found.branch.kind == "branch"  # the remote's heads say nothing about forks and tags
            and (found.seen or found.branch.name in mine)
            and found.branch.slug not in slugs
            and not any(fnmatchcase(found.branch.name, pattern) for pattern in patterns)
            and not found.active]
