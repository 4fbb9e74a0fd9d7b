"""The model behind an alias, loaded again in the background when the alias is moved."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from branchline.text import one_line

__all__ = ["Followed", "followed"]

POLL_SECONDS = 5.0


class Followed:
    """A model and its address, which change together.

    Args:
        find: returns the address that the alias has now.
        load: the model at an address.

    Raises:
        BranchlineError: what `find` or `load` raises the first time.
    """

    def __init__(self, find: Callable[[], str], load: Callable[[str], Any]) -> None:
        self._find, self._load = find, load
        address = find()
        self.current: tuple[str, Any] = address, load(address)

    def check(self) -> None:
        """Load the model if the alias was moved; if that fails, say it and keep the old one."""
        try:
            address = self._find()
            if address != self.current[0]:
                self.current = address, self._load(address)
                print(f"model {address}: scores from now on", flush=True)
        except Exception as problem:  # loading a model runs whatever is in it
            print(one_line(f"model {self.current[0]} stays: {problem}"), file=sys.stderr,
                  flush=True)


@contextmanager
def followed(find: Callable[[], str], load: Callable[[str], Any],
             seconds: float = POLL_SECONDS) -> Iterator[Followed]:
    """A model that follows its alias, checked every few `seconds` until the block ends."""
    model, left = Followed(find, load), threading.Event()

    def poll() -> None:
        while not left.wait(seconds):
            model.check()

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        left.set()
