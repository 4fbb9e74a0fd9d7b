"""Writes the inference log: a line that was written survives the process."""

from __future__ import annotations

import fcntl
import itertools
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from branchline.errors import Unreachable
from branchline.inference_log.line import Entry, Origin, lines
from branchline.inference_log.settings import LogSettings

__all__ = ["InferenceLog", "complete_left_files"]

OPEN, SUFFIX = "_", ".jsonl"  # files whose names begin with _ are not read as input


class InferenceLog:
    """The log of one process, in files of its own; threads may share it.

    A file's name begins with `_` until it is complete. After `write`, the operating system has the
    lines: SIGKILL loses none, a power cut may lose the last ones.

    Raises:
        Unreachable: the folder cannot be written; raised by `write`, too.
    """

    def __init__(self, settings: LogSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._id, self._numbers = uuid4().hex[:16], itertools.count(1)
        self._file: int | None = None
        self._path, self._size, self._began = Path(), 0, 0.0
        self._closed = threading.Event()
        try:
            settings.folder.mkdir(parents=True, exist_ok=True)
            complete_left_files(settings.folder)
            self._open()
        except OSError as problem:
            raise _unwritable(settings.folder, problem) from None
        threading.Thread(target=self._complete_old, daemon=True).start()

    def write(self, entries: Sequence[Entry], origin: Origin, request_id: str | None = None,
              latency_ms: float | None = None, trace_id: str | None = None) -> int:
        """Write the entries, all or none, and return their time, in microseconds since 1970."""
        now = time.time_ns() // 1000
        ids = [f"{self._id}-{next(self._numbers)}" for _ in entries]
        content = lines(entries, origin, ids, request_id or ids[0] if ids else "", now, latency_ms,
                        self.settings.hash_key, trace_id)
        with self._lock:
            try:
                self._append(content)
            except OSError as problem:
                raise _unwritable(self.settings.folder, problem) from None
        return now

    def close(self) -> None:
        """Complete the file."""
        self._closed.set()
        with self._lock:
            self._complete()

    def _append(self, content: bytes) -> None:
        if self._file is None:
            self._open()
        assert self._file is not None
        left = memoryview(content)
        try:
            while left:
                left = left[os.write(self._file, left):]
        except OSError:  # half a line, as on a full disk, would spoil the next one
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(content)
        if self._size >= self.settings.file_bytes:
            self._complete()

    def _open(self) -> None:
        while self._file is None:
            path = self.settings.folder / f"{OPEN}{time.time_ns() // 1000}-{uuid4().hex}{SUFFIX}"
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
            fcntl.flock(file, fcntl.LOCK_EX)  # held as long as the process lives
            if path.exists():
                self._path, self._file = path, file
            else:  # taken for a left one, and removed, before it was locked
                os.close(file)
        self._size, self._began = 0, time.monotonic()

    def _complete(self) -> None:
        if self._file is None:
            return
        with suppress(OSError):
            _renamed(self._path, self._size)
        os.close(self._file)
        self._file = None

    def _complete_old(self) -> None:
        """A file of a process with little to do is complete after its seconds, too."""
        while not self._closed.wait(min(self.settings.seconds, 10.0)):
            with self._lock:
                if self._size and time.monotonic() - self._began >= self.settings.seconds:
                    self._complete()


def complete_left_files(folder: Path) -> int:
    """Complete the files of processes that no longer run; how many.

    A running process holds a lock on its file.
    """
    count = 0
    for path in sorted(folder.glob(f"{OPEN}*{SUFFIX}")):
        with suppress(OSError):  # another process holds it, or completes it at this moment
            file = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _renamed(path, os.fstat(file).st_size)
                count += 1
            finally:
                os.close(file)
    return count


def _renamed(path: Path, size: int) -> None:
    if size:
        path.rename(path.with_name(path.name.removeprefix(OPEN)))
    else:
        path.unlink()


def _unwritable(folder: Path, problem: OSError) -> Unreachable:
    return Unreachable(f"inference log: {folder} cannot be written: {problem.strerror}. Check its "
                       "permissions and the space on its disk.")
