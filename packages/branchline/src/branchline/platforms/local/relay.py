"""Makes the output of a project's processes safe for the terminal or the CI log."""

from __future__ import annotations

import codecs
import os
import re
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from branchline.text import safe

__all__ = ["SafeLines", "relayed"]

PIECE = 65_536
IDLE_SECONDS = 0.2  # after this pause, the beginning of an unfinished line is shown
LAST_SECONDS = 2.0  # to drain the pipe; a process that outlives its parent may keep it open
# This may be the beginning of a CI command; the next bytes decide.
UNDECIDED = re.compile(r"\s*:*\Z|.*#\w*\Z", re.DOTALL)


class SafeLines:
    """Turns bytes into `safe` text, however they are split into pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._line = ""

    def complete(self, content: bytes, last: bool = False) -> str:
        """The lines that end in this piece; everything left if it is the last."""
        lines = (self._line + self._decoder.decode(content, last)).split("\n")
        self._line = "" if last else lines.pop()
        return "\n".join(safe(_shown(line)) for line in lines) + ("" if last or not lines else "\n")

    def begun(self) -> str:
        """The beginning of an unfinished line, unless it may become a command."""
        if "\r" in self._line or UNDECIDED.fullmatch(self._line):
            return ""
        found, self._line = self._line, ""
        return safe(found)


def _shown(line: str) -> str:
    """What a terminal would show in the end: a progress bar rewrites its line."""
    return line.rstrip("\r").rpartition("\r")[2]


@contextmanager
def relayed() -> Iterator[None]:
    """In the block, what this process and those below it write to stdout and stderr is `safe`."""
    with ExitStack() as stack:
        for number, stream in ((1, sys.stdout), (2, sys.stderr)):
            stream.flush()
            stack.callback(stream.flush)
            stack.enter_context(_relay(number))
            stack.callback(stream.flush)
        yield


@contextmanager
def _relay(number: int) -> Iterator[None]:
    """Replace the file descriptor by a pipe; the original is where the pipe leads to."""
    place, (source, sink) = os.dup(number), os.pipe()
    os.dup2(sink, number)
    os.close(sink)
    thread = threading.Thread(target=_copy, args=(source, place), daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.dup2(place, number)
        thread.join(LAST_SECONDS)


def _copy(source: int, place: int) -> None:
    """Copy until no process holds the pipe's other end; both descriptors are closed then."""
    lines, content = SafeLines(), None
    while content != b"":
        ready, _, _ = select.select([source], [], [], IDLE_SECONDS)
        content = os.read(source, PIECE) if ready else None
        text = lines.begun() if content is None else lines.complete(content, last=not content)
        _write(place, text.encode())
    os.close(source)
    os.close(place)


def _write(place: int, content: bytes) -> None:
    while content:
        content = content[os.write(place, content):]
