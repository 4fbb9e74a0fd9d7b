"""The interface of a store of records, and the embedded one: a file of SQLite."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeAlias

from branchline.errors import Unreachable

__all__ = ["Change", "SqliteStore", "Store"]

# Turns the current records (None: no record) into new ones; None removes a record.
Change: TypeAlias = Callable[[list[bytes | None]], Sequence[bytes | None]]
BUSY_SECONDS = 30
AT_ONCE = 500  # keys in one query


class Store(Protocol):
    """Records of bytes by key."""

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """The keys' records; None for a key without one."""
        ...

    def update(self, keys: Sequence[str], change: Change) -> None:
        """Replace the keys' records by what `change` makes of them, all or none.

        Writes of other processes are not lost: `change` may be called again with them.
        """
        ...

    def version(self) -> int | None:
        """Another number when another process has written; None where that cannot be told."""
        ...

    def replace(self, records: Mapping[str, bytes | None], version: int) -> bool:
        """Write the records, all or none; False if another process has written since `version`."""
        ...

    def keys(self) -> Iterator[str]:
        """All keys, in no order."""
        ...

    def close(self) -> None:
        ...


class SqliteStore:
    """Records in a file that processes of one machine may share.

    A killed process leaves no half update. A power cut may take the last updates, never the file:
    replaying the stream restores them.

    Raises:
        Unreachable: the file cannot be read or written; raised by every method.
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        with _usable():
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None,
                                               check_same_thread=False, cached_statements=16)
            self._create()

    def _create(self) -> None:
        for setting in ("page_size = 8192", "journal_mode = WAL", "synchronous = NORMAL",
                        "wal_autocheckpoint = 10000", "cache_size = -65536"):
            self._connection.execute(f"PRAGMA {setting}")
        self._connection.execute("CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, "
                                 "record BLOB NOT NULL)")

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        with self._lock, _usable():
            return self._read(keys)

    def _read(self, keys: Sequence[str]) -> list[bytes | None]:
        found: dict[str, bytes] = {}
        for first in range(0, len(keys), AT_ONCE):
            some = keys[first:first + AT_ONCE]
            found.update(self._connection.execute(
                f"SELECT key, record FROM records WHERE key IN ({','.join('?' * len(some))})",
                some))
        return [found.get(key) for key in keys]

    def update(self, keys: Sequence[str], change: Change) -> None:
        with self._writing():
            self._write(keys, change(self._read(keys)))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, _usable():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def version(self) -> int | None:
        with self._lock, _usable():
            return self._version()

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def replace(self, records: Mapping[str, bytes | None], version: int) -> bool:
        with self._writing():
            is_newest = self._version() == version
            if is_newest:
                self._write(list(records), list(records.values()))
        return is_newest

    def _write(self, keys: Sequence[str], records: Sequence[bytes | None]) -> None:
        pairs = list(zip(keys, records, strict=True))
        self._connection.executemany(
            "INSERT INTO records VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET record = excluded.record",
            [pair for pair in pairs if pair[1] is not None])
        gone = [(key,) for key, record in pairs if record is None]
        if gone:
            self._connection.executemany("DELETE FROM records WHERE key = ?", gone)

    def keys(self) -> Iterator[str]:
        with self._lock, _usable():
            found = self._connection.execute("SELECT key FROM records").fetchall()
        return (key for key, in found)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def _usable() -> Iterator[None]:
    """In the block, errors of the file become Unreachable."""
    try:
        yield
    except (sqlite3.Error, OSError) as problem:
        raise Unreachable(f"online store: its file cannot be used: {problem}. Check the path and "
                          "the disk; a replay of the stream is safe.") from None
