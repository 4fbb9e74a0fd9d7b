"""Ctrl-C, and the signals by which CI and terminals cancel: all end a run cleanly."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

__all__ = ["deferred", "ends_with_its_parent", "interruptible"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WATCH_SECONDS = 0.5


@dataclass
class _Interruption:
    """Whether a signal is already ending this process; further ones change nothing."""

    blocks: int = 0
    arrived: bool = False


_interruption = _Interruption()


@contextmanager
def interruptible(at_once: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The first signal calls `at_once` and raises KeyboardInterrupt in the block.

    Later ones are ignored until the outermost block is left: CI sends several at once, and the
    reaction to the first (cancelling a job run, marking a run) has to finish.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not _interruption.arrived:
            _interruption.arrived = True
            at_once()
            raise KeyboardInterrupt

    with _handled_by(interrupt):
        yield


@contextmanager
def deferred() -> Iterator[Callable[[], bool]]:
    """Delay signals to the end of the block, which may ask whether one has arrived."""
    arrived: list[int] = []
    with _handled_by(lambda number, frame: arrived.append(number)):
        yield lambda: bool(arrived)
        first = bool(arrived) and not _interruption.arrived
        _interruption.arrived |= first
    if first:
        raise KeyboardInterrupt


@contextmanager
def ends_with_its_parent() -> Iterator[None]:
    """Send this process SIGTERM when its parent dies: a CI may signal only the shell."""
    parent, left = os.getppid(), threading.Event()

    def watch() -> None:
        while not left.wait(WATCH_SECONDS):
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        left.set()


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    _interruption.blocks += 1
    try:
        yield
    finally:
        _interruption.blocks -= 1
        if not _interruption.blocks:
            _interruption.arrived = False
        for number, handler_before in before.items():
            signal.signal(number, handler_before)
