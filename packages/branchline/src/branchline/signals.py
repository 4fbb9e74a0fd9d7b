"""Ctrl-C, and SIGTERM by which CI cancels: both end a run in order."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["deferred", "interruptible"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(at_once: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Either signal calls `at_once` and raises KeyboardInterrupt in the block."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        at_once()
        raise KeyboardInterrupt

    with _handled_by(interrupt):
        yield


@contextmanager
def deferred() -> Iterator[Callable[[], bool]]:
    """Either signal waits for the end of the block, which may ask whether one has arrived."""
    arrived: list[int] = []
    with _handled_by(lambda number, frame: arrived.append(number)):
        yield lambda: bool(arrived)
    if arrived:
        raise KeyboardInterrupt


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)
