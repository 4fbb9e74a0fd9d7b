"""A check of what a run needs: what was found and, unless it is fine, the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from branchline.errors import BranchlineError

__all__ = ["Check", "check"]


@dataclass(frozen=True)
class Check:
    """One check: what was found and, unless it is fine, what to do about it.

    `blocking` says whether a run would fail because of it.
    """

    what: str
    found: str
    remedy: str = ""
    blocking: bool = False

    @property
    def verdict(self) -> str:
        return "wrong" if self.blocking else "note" if self.remedy else "ok"


def check(what: str, look: Callable[[], str]) -> Check:
    """What `look` returns, or the error it raises as a failed check."""
    try:
        return Check(what, look())
    except BranchlineError as problem:
        return Check(what, str(problem), blocking=True)
