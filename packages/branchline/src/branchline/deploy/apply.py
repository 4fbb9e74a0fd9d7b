"""Applies what was approved, or rolls back; run again, either finishes what it began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from branchline.deploy import release_files
from branchline.deploy.carry_out import Say, carry_out, prepare, wheels_of
from branchline.deploy.deployment import Deployment, State
from branchline.deploy.journal import Journal
from branchline.deploy.production import Production
from branchline.errors import BadInput, BranchlineError, NotApproved
from branchline.wheels.published import verified

__all__ = ["apply", "require_finished", "rollback"]


def apply(production: Production, evidence: Mapping[str, Any], checksum: str,
          say: Say, breaking: bool = False) -> Deployment:
    """Deploy what the evidence with this checksum says; nothing if that has been done already.

    Args:
        breaking: whether tables may change in a way that those who read them notice.

    Raises:
        NotApproved: what the evidence was based on has changed, or another deployment has started.
        BadInput: a wheel is not what was published, or tables change so and may not.
        BranchlineError: what the platform raises; the text says what to run again.
    """
    journal = production.journal
    newest = journal.newest()
    state = State.of_record(evidence["state"])
    if newest and newest.evidence == checksum:
        if newest.finished:
            say(f"{newest.line}: nothing to do")
            return newest
        say(f"{newest.line}: continuing")
        prepare(production, state)
        return _carried_out(production, newest, say)
    require_finished(journal)
    _require_basis(production, evidence)
    if not breaking:
        _require_compatible(evidence)
    prepare(production, state)
    number = (newest.number if newest else 0) + 1
    begun = journal.begin(Deployment(number, state, checksum, None, production.by))
    return _carried_out(production, begun, say)


def rollback(production: Production, say: Say, evidence: str | None = None) -> Deployment:
    """Go back to the state before the newest deployment; nothing if that is done already.

    Args:
        evidence: go back only if this checksum approved the newest deployment.

    Raises:
        BadInput: nothing was ever deployed, or a wheel to go back to is gone.
        NotApproved: another deployment has started meanwhile.
        BranchlineError: what the platform raises; the text says what to run again.
    """
    journal = production.journal
    newest = journal.newest()
    if newest and newest.restores is not None:
        if newest.finished:
            say(f"{newest.line}: nothing to do; to go back further, plan --version VERSION")
            return newest
        say(f"{newest.line}: continuing")
        return _carried_out(production, newest, say)
    if evidence and (newest is None or newest.evidence != evidence):
        say(f"evidence {evidence[:12]}: is not that of the newest deployment, nothing to do")
        return journal.current()
    if newest is None:
        raise BadInput("rollback: nothing is deployed yet; expected a deployment to roll back.")
    before = journal.current(newest.number)
    for wheel in wheels_of(before.state):
        verified(wheel, production.platform.wheels)
    begun = journal.begin(
        Deployment(newest.number + 1, before.state, None, before.number, production.by))
    return _carried_out(production, begun, say)


def require_finished(journal: Journal) -> None:
    """Check that no deployment is unfinished.

    Raises:
        NotApproved: one is; it may still be running.
    """
    newest = journal.newest()
    if newest and not newest.finished:
        raise NotApproved(f"{newest.line}: if it is no longer running, finish it with "
                          f"`{_again(journal, newest)}` or undo it with `deploy.py rollback "
                          f"{journal.project}`; then plan again.")


def _again(journal: Journal, deployment: Deployment) -> str:
    """The command that finishes a deployment."""
    if deployment.evidence:
        return f"deploy.py apply {journal.project} --evidence {deployment.evidence}"
    return f"deploy.py rollback {journal.project}"


def _require_basis(production: Production, evidence: Mapping[str, Any]) -> None:
    journal, based_on = production.journal, evidence["based_on"]
    current = journal.current().number
    if current != based_on["deployment"]:
        raise NotApproved(f"evidence: was made while deployment {based_on['deployment']} was in "
                          f"place, now it is {current}; plan again, and have that approved.")
    version = evidence["state"]["version"]
    found = release_files.checksum(journal.name, journal.project, version, production.source)
    if found != based_on["release"]:
        raise NotApproved(f"release {version}: is not the one that the evidence was made from; "
                          "plan again, and have that approved.")


def _require_compatible(evidence: Mapping[str, Any]) -> None:
    if found := evidence["breaking"]:
        more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
        raise BadInput(f"release {evidence['state']['version']}: breaking: {found[0]}{more}; tell "
                       "those who read these tables, then apply it with --breaking.")


def _carried_out(production: Production, deployment: Deployment, say: Say) -> Deployment:
    try:
        finished = carry_out(production, deployment, say)
    except NotApproved:  # another deployment was begun: this one is not to be finished
        raise
    except BranchlineError as problem:
        raise type(problem)(f"{problem} Deployment {deployment.number} is half done: run "
                            f"`{_again(production.journal, deployment)}` again to finish it."
                            ) from problem
    say(finished.line)
    return finished
