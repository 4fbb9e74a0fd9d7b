"""Which branches are gone: what they left may be removed, everything else is kept."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from branchline.branch import Branch
from branchline.errors import BadInput

__all__ = ["Experiment", "gone", "remote_branches"]


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
