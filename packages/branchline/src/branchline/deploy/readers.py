"""Moves production's readers to the table set of a deployment, and back."""

from __future__ import annotations

from collections.abc import Callable

from branchline.deploy.deployment import Deployment
from branchline.deploy.production import Production
from branchline.table_sets import Manifest

__all__ = ["move_readers", "readers_line"]


def move_readers(production: Production, deployment: Deployment,
                 say: Callable[[str], None]) -> None:
    """Write the deployment's manifest; where readers read views, a job moves them at once.

    Readers follow a new set once a run has filled it, and an old one immediately. On a catalog,
    where only a run can move views, the run that fills the set does so; to move them back, the job
    `<project>-readers` is started.

    Raises:
        RunFailed: that job failed; the deployment is not finished.
    """
    sets, manifest = production.table_sets, _manifest(production, deployment)
    was = sets.newest()
    if was is None and manifest.table_set is None:
        return
    sets.add(manifest)
    say(f"readers  {readers_line(production)}")
    is_new = deployment.restores is None and manifest.table_set is not None
    # Asked after the manifest is there: a run that fills the set later finds it and follows it.
    left = was is not None and was.table_set is not None and sets.is_ready(was.table_set)
    if left and not is_new and production.platform.jobs.actual(production.readers_job):
        say(f"job {production.readers_job}  moves the views")
        production.platform.jobs.run(production.readers_job)


def readers_line(production: Production) -> str:
    """Which tables readers see, for people."""
    sets = production.table_sets
    newest = sets.newest()
    if newest is None or newest.table_set is None:
        return "the schema's own tables"
    if sets.is_ready(newest.table_set):
        return f"table set {newest.table_set}"
    before = sets.at(newest.before)
    seen = before.table_set if before else None
    return (f"{f'table set {seen}' if seen else 'what they saw before'} until a job has run in "
            f"{newest.table_set}")


def _manifest(production: Production, deployment: Deployment) -> Manifest:
    """A rollback repeats what the manifest of that deployment said."""
    if deployment.restores is None:
        before = production.journal.current(deployment.number).number
        state = deployment.state
        return Manifest(deployment.number, state.table_set, state.tables, before)
    found = production.table_sets.at(deployment.restores)
    return Manifest(deployment.number, found.table_set if found else None,
                    found.tables if found else (), found.before if found else None)
