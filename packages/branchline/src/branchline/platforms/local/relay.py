"""What a project's processes print, made safe for the terminal or the CI's log that it goes to."""

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
IDLE_SECONDS = 0.2  # after which a line that has not ended is shown as far as it is there
LAST_SECONDS = 2.0  # for what is still in the pipe; a process that outlives its parent may hold it
# What could be the beginning of a CI's command; what follows decides.
UNDECIDED = re.compile(r"\s*:*\Z|.*#\w*\Z", re.DOTALL)


class SafeLines:
    """Bytes as they come, to text that is `safe` in whatever pieces it came."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._line = ""

    def complete(self, content: bytes, last: bool = False) -> str:
        """The lines that end in this piece; all that is left if it is the last."""
        lines = (self._line + self._decoder.decode(content, last)).split("\n")
        self._line = "" if last else lines.pop()
        return "\n".join(safe(_shown(line)) for line in lines) + ("" if last or not lines else "\n")

    def begun(self) -> str:
        """What is there of a line that has not ended, unless it may become a command."""
        if "\r" in self._line or UNDECIDED.fullmatch(self._line):
            return ""
        found, self._line = self._line, ""
        return safe(found)


def _shown(line: str) -> str:
    """What a terminal is left with: a progress bar writes its line again and again."""
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
    """Put a pipe in the place of the file descriptor, and its own place behind the pipe."""
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
