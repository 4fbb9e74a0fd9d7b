"""Which table sets neither readers nor a rollback need."""

from __future__ import annotations

from branchline.deploy.production import Production

__all__ = ["KEPT", "sets_by_need"]

KEPT = 3  # the one in place, the one that a rollback returns to, and one more


def sets_by_need(production: Production, keep: int = KEPT) -> tuple[list[str], list[str]]:
    """The project's table sets that are needed, and the others; the newest first.

    Needed are the `keep` newest, what readers see or wait for, now and after a rollback, what the
    deployment in place writes, and what an unfinished one will. The others may be gone already.
    """
    listed = reversed(production.journal.all())
    sets = list(dict.fromkeys(each.state.table_set for each in listed if each.state.table_set))
    needed = {*sets[:keep], *_needed(production)}
    kept = [name for name in sets if name in needed]
    return kept, [name for name in sets if name not in needed]


def _needed(production: Production) -> set[str]:
    sets, journal = production.table_sets, production.journal
    found, newest = sets.needed(None), journal.newest()
    deployments = [journal.current()]
    if newest:
        deployments.append(newest)
        if newest.restores is None:  # else a rollback has nothing to do
            deployments.append(journal.current(newest.number))
    for each in deployments:
        found |= {each.state.table_set or "", *(sets.needed(each.number) if each.number else ())}
    return found
