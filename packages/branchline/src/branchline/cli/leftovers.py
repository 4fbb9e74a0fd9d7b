"""Shows what a command would remove, or removes it."""

from __future__ import annotations

from collections.abc import Iterable

from branchline.platforms.base import Leftover
from branchline.text import one_line

__all__ = ["remove"]


def remove(leftovers: Iterable[Leftover], yes: bool) -> int:
    """List the leftovers, and remove them if `yes`; returns their number."""
    count = 0
    for leftover in leftovers:
        print(f"{'removing' if yes else 'would remove'}  {one_line(leftover.what)}", flush=True)
        if yes:
            leftover.remove()
        count += 1
    return count
