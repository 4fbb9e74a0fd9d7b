"""Tables in a folder: where each is, and who may write."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from branchline.errors import TablesBusy
from branchline.lakehouse.commits import Commit, commit_files, read_commit
from branchline.lakehouse.sql import quoted
from branchline.lakehouse.table import NO_COMMIT, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.readwriter import DataStreamReader

__all__ = ["Folder"]


class Folder:
    """`silver.transactions` is the Delta table in `<root>/<schema>/silver/transactions`."""

    def __init__(self, spark: SparkSession, root: str, schema: str) -> None:
        self._spark = spark
        self._path = Path(root, schema)
        self._locked = False

    def reference(self, table: Table) -> str:
        return f"delta.{quoted(str(self._path_of(table)))}"

    def exists(self, table: Table) -> bool:
        return (self._path_of(table) / "_delta_log").is_dir()

    def is_whole(self, table: Table) -> bool:
        """Whether the table has a commit; what a killed CREATE TABLE left without one is removed.
        """
        path = self._path_of(table)
        if any((path / "_delta_log").glob("[0-9]*")):  # a commit, or a checkpoint of some
            return True
        shutil.rmtree(path, ignore_errors=True)
        return False

    def of_set(self, name: str) -> Folder:
        """The tables of a table set: in `<root>/<schema>/_sets/<name>`."""
        return Folder(self._spark, str(self._path / "_sets"), name)

    def commit(self, table: Table) -> str:
        found = commit_files(self._path_of(table))
        return _told(found[0]) if found else NO_COMMIT

    def history(self, table: Table, limit: int) -> list[Commit]:
        """The last commits, newest first."""
        # From the log itself: DESCRIBE HISTORY is a Spark job, of up to two seconds of CPU.
        return [read_commit(file) for file in commit_files(self._path_of(table))[:limit]]

    def has_commit(self, table: Table, commit: str) -> bool:
        number = commit.partition("/")[0]
        file = self._path_of(table) / "_delta_log" / f"{int(number):020}.json"
        return file.exists() and _told(file) == commit

    def drop(self, table: Table) -> None:
        shutil.rmtree(self._path_of(table))

    def create_schema(self) -> None:
        """Does nothing: Delta creates a table's folders."""

    def register(self, table: Table) -> None:
        """Does nothing: a folder has no register of feature tables."""

    def area(self, name: str) -> str:
        return str(self._path / f"_{name}")

    def stream(self, reader: DataStreamReader, table: Table) -> DataFrame:
        return reader.load(str(self._path_of(table)))  # table() refuses Delta's path names

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the schema for this process; the lock ends with it, even if it is killed.

        On a local disk Delta is safe for one writing process only. The holder of the lock may take
        it again.

        Raises:
            TablesBusy: another process is writing this schema.
        """
        if self._locked:
            yield
            return
        self._path.mkdir(parents=True, exist_ok=True)
        with (self._path / ".lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise TablesBusy(f"tables in {self._path}: process {lock.read().strip()} is "
                                 "writing them; wait for it to end, or stop it, and run again."
                                 ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            self._locked = True
            try:
                yield
            finally:
                self._locked = False

    def _path_of(self, table: Table) -> Path:
        return self._path / table.name.replace(".", "/")


def _told(commit: Path) -> str:
    return f"{int(commit.stem)}/{commit.stat().st_mtime_ns}"
