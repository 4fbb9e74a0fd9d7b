"""Delta tables by name: create, read, append, insert what is missing, overwrite a slice."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from branchline.errors import BadInput, TablesBusy

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Column", "Lakehouse", "Table"]

FILE = "path STRING, modificationTime TIMESTAMP, length LONG, content BINARY"
FILES_AT_ONCE = 64


@dataclass(frozen=True)
class Column:
    """A column: its name, Spark SQL type, meaning, and whether a row must have it."""

    name: str
    type: str
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class Table:
    """A table: `layer.name`, what a row is, the columns that identify it, all columns.

    `filtered_by` are the columns that Delta keeps statistics of, to skip files; none named is all,
    which costs a wide table a fifth of its writing time.
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    filtered_by: tuple[str, ...] = ()

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]


class Lakehouse:
    """The tables of one branch.

    Args:
        spark: any session, classic or Connect.
        root: a folder (it holds a slash), or the name of a Unity Catalog catalog.
        schema: the branch's schema; `silver.transactions` is the folder
            `<root>/<schema>/silver/transactions`, or `<catalog>.<schema>.silver_transactions`.
        files: the folder of checkpoints and landed files; None is beside the tables of a folder,
            and the catalog's volume `<schema>.files`.
    """

    def __init__(self, spark: SparkSession, root: str, schema: str,
                 files: str | None = None) -> None:
        self.spark = spark
        self.root = root
        self.schema = schema
        self.folder = Path(root, schema) if "/" in root else None
        self._files = files

    def reference(self, table: Table) -> str:
        """The table's name in SQL."""
        if self.folder is not None:
            path = self.folder / table.name.replace(".", "/")
            return f"delta.{_quoted(str(path))}"
        names = (self.root, self.schema, table.name.replace(".", "_"))
        return ".".join(_quoted(name) for name in names)

    def exists(self, table: Table) -> bool:
        if self.folder is not None:
            return (self.folder / table.name.replace(".", "/") / "_delta_log").is_dir()
        return self.spark.catalog.tableExists(self.reference(table))

    def create(self, table: Table) -> None:
        """Create the table where it does not exist; its columns carry their meaning."""
        if self.exists(table):
            return
        if self.folder is None:
            self.spark.sql("CREATE SCHEMA IF NOT EXISTS "
                           f"{_quoted(self.root)}.{_quoted(self.schema)}")
        columns = ", ".join(
            f"{_quoted(column.name)} {column.type}{' NOT NULL' if column.required else ''} "
            f"COMMENT {_text(column.meaning)}" for column in table.columns)
        skipping = (f" TBLPROPERTIES ('delta.dataSkippingStatsColumns' = "
                    f"{_text(','.join(table.filtered_by))})" if table.filtered_by else "")
        self.spark.sql(f"CREATE TABLE IF NOT EXISTS {self.reference(table)} ({columns}) "
                       f"USING DELTA COMMENT {_text(table.meaning)}{skipping}")

    def read(self, table: Table, version: int | None = None) -> DataFrame:
        """The table's rows, now or as of a version.

        Raises:
            BadInput: no step has written the table yet.
        """
        if not self.exists(table):
            raise BadInput(f"table {table.name}: not found in schema {self.schema} of {self.root}; "
                           "run the step that writes it first, or the whole project.")
        if version is None:
            return self.spark.table(self.reference(table))
        return self.spark.sql(f"SELECT * FROM {self.reference(table)} VERSION AS OF {version}")

    def version(self, table: Table) -> int:
        """The number of the table's newest Delta version."""
        newest = self.spark.sql(f"DESCRIBE HISTORY {self.reference(table)} LIMIT 1").first()
        assert newest is not None
        return int(newest["version"])

    def merge(self, table: Table, rows: DataFrame) -> None:
        """Insert the rows whose key the table does not hold yet, in one transaction."""
        self.create(table)
        same_key = " AND ".join(f"old.{_quoted(name)} = new.{_quoted(name)}" for name in table.key)
        rows.select(table.column_names).createOrReplaceTempView("new_rows")
        self.spark.sql(f"MERGE INTO {self.reference(table)} AS old USING new_rows AS new "
                       f"ON {same_key} WHEN NOT MATCHED THEN INSERT *")

    def overwrite(self, table: Table, rows: DataFrame, where: str) -> None:
        """Replace the rows that meet the condition `where` by `rows`, in one transaction."""
        from pyspark.sql import functions as F
        self.create(table)
        rows.select(table.column_names).writeTo(self.reference(table)).overwrite(F.expr(where))

    def new_files(self, location: str) -> DataFrame:
        """A stream of the files in a folder (or of one file): path, modificationTime, content.

        Raises:
            BadInput: a local `location` that does not exist.
        """
        if self.folder is None:  # Auto Loader keeps its listing in the stream's checkpoint
            return (self.spark.readStream.format("cloudFiles")
                    .option("cloudFiles.format", "binaryFile").load(location))
        path = Path(location).resolve()
        if not path.exists():
            raise BadInput(f"{location}: no such file or folder; expected files to take.")
        reader = (self.spark.readStream.format("binaryFile").schema(FILE)
                  .option("maxFilesPerTrigger", FILES_AT_ONCE)
                  .option("maxFileAge", "36500d")  # else a file older than the rest is passed over
                  .option("recursiveFileLookup", "true"))
        if path.is_file():
            reader = reader.option("pathGlobFilter", _literal(path.name))
            path = path.parent
        return reader.load(_literal(str(path)))

    def append_stream(self, table: Table, rows: DataFrame, checkpoint: str) -> None:
        """Append what a stream has that is new, exactly once, and stop when it is all taken."""
        self.create(table)
        writer = (rows.select(table.column_names).writeStream.format("delta")
                  .option("checkpointLocation", f"{self.area('checkpoints')}/{checkpoint}")
                  .trigger(availableNow=True))
        if self.folder is not None:  # toTable refuses Delta's path names
            query = writer.start(str(self.folder / table.name.replace(".", "/")))
        else:
            query = writer.toTable(self.reference(table))
        query.awaitTermination()

    def area(self, name: str) -> str:
        """A folder of this schema for checkpoints or landed files."""
        if self._files is not None:
            return f"{self._files}/{self.schema}/{name}"
        if self.folder is not None:
            return str(self.folder / f"_{name}")
        return f"/Volumes/{self.root}/{self.schema}/files/{name}"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the schema for one writer; the lock ends with the process, however that ends.

        Delta on a local disk is safe for one process only; a catalog settles conflicts itself.

        Raises:
            TablesBusy: another process is writing this schema.
        """
        if self.folder is None:
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise TablesBusy(f"tables in {self.folder}: process {lock.read().strip()} is "
                                 "writing them; wait for it to end, or stop it, and run again."
                                 ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield


def _literal(path: str) -> str:
    """The path as a glob pattern that matches it alone."""
    return "".join("\\" + c if c in "{}[]*?\\" else c for c in path)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(words: str) -> str:
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"
