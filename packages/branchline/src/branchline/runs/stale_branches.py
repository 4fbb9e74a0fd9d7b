"""Which branches are gone, by the experiments that they left and the remote's branches."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from branchline.branch import Branch, Kind
from branchline.errors import BadInput
from branchline.runs.tracking import Tracking, answered

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment as MlflowExperiment, Run

__all__ = ["Experiment", "experiments", "gone", "remote_branches"]

ACTIVE = ("RUNNING", "SCHEDULED")


@dataclass(frozen=True)
class Experiment:
    """A branch's experiment: whose it is, whether a run of it is active, the wheels it ran with.

    `branch` is None where no run tells; such an experiment is nobody's to remove.
    """

    id: str
    name: str
    branch: Branch | None
    active: bool
    wheels: frozenset[str] = frozenset()


def experiments(tracking: Tracking, experiment_root: str) -> list[Experiment]:
    """All branches' experiments below the root, as the tags of their runs tell."""
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
        frozenset(tag["wheel_version"] for tag in tags if "wheel_version" in tag))


def _runs(client: MlflowClient, experiment_id: str) -> Iterator[Run]:
    page: str | None = ""
    while page is not None:
        found = client.search_runs([experiment_id], page_token=page or None)
        yield from found
        page = found.token or None


def remote_branches(root: Path, remote: str) -> set[str]:
    """Names of the branches that the git remote has now.

    Raises:
        BadInput: git cannot tell, or tells of none at all.
    """
    done = subprocess.run(["git", "-C", str(root), "ls-remote", "--heads", remote],
                          capture_output=True, text=True)
    heads = {line.split("\t")[1].removeprefix("refs/heads/") for line in done.stdout.splitlines()}
    if done.returncode or not heads:
        said = " ".join(done.stderr.split()) or "it has no branches"
        raise BadInput(f"git remote {remote}: cannot tell its branches: {said}. Nothing is "
                       "removed without knowing them.")
    return heads


def gone(experiments: Iterable[Experiment], alive: Collection[str],
         protected: Iterable[str]) -> list[Experiment]:
    """Those of branches that are no longer there, not protected and without an active run.

    Args:
        alive: the names of the branches that exist.
        protected: patterns of names, such as `release/*`, that are kept in any case.
    """
    patterns = tuple(protected)
    slugs = {Branch("branch", name).slug for name in alive}
    return [found for found in experiments
            if found.branch is not None
            and found.branch.kind == "branch"  # of forks and tags, the remote's heads say nothing
            and found.branch.slug not in slugs
            and not any(fnmatchcase(found.branch.name, pattern) for pattern in patterns)
            and not found.active]
