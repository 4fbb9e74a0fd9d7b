"""Tables in a folder: where each is, who may write, and the files that are there to take."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from branchline.errors import BadInput, TablesBusy
from branchline.lakehouse.sql import quoted
from branchline.lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery
    from pyspark.sql.streaming.readwriter import DataStreamWriter

__all__ = ["Folder"]

FILE = "path STRING, modificationTime TIMESTAMP, length LONG, content BINARY"
FILES_AT_ONCE = 64


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

    def create_schema(self) -> None:
        """Nothing: Delta makes the folders of a table."""

    def area(self, name: str) -> str:
        return str(self._path / f"_{name}")

    def start(self, writer: DataStreamWriter, table: Table) -> StreamingQuery:
        return writer.start(str(self._path_of(table)))  # toTable refuses Delta's path names

    def new_files(self, location: str) -> DataFrame:
        """A stream of the files in a folder (or of one file).

        Raises:
            BadInput: `location` does not exist.
        """
        path = Path(location).resolve()
        if not path.exists():
            raise BadInput(f"{location}: no such file or folder; expected files to take.")
        reader = (self._spark.readStream.format("binaryFile").schema(FILE)
                  .option("maxFilesPerTrigger", FILES_AT_ONCE)
                  .option("maxFileAge", "36500d")  # else a file older than the rest is passed over
                  .option("recursiveFileLookup", "true"))
        if path.is_file():
            reader = reader.option("pathGlobFilter", _literal(path.name))
            path = path.parent
        return reader.load(_literal(str(path)))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the schema for this process; the lock ends with it, however it ends.

        Delta on a local disk is safe for one process only. Who holds the lock may ask again.

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


def _literal(path: str) -> str:
    """The path as a glob pattern that matches it alone."""
    return "".join("\\" + c if c in "{}[]*?\\" else c for c in path)
