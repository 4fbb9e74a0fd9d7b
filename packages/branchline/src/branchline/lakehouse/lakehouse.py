"""Delta tables by name: create, read, append, insert missing rows, overwrite a slice."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from branchline.errors import BadInput
from branchline.lakehouse.catalog import Catalog
from branchline.lakehouse.commits import Commit
from branchline.lakehouse.copying import copy_table
from branchline.lakehouse.evolution import aligned, demand_same_format, update
from branchline.lakehouse.folder import Folder
from branchline.lakehouse.sql import create_table, quoted
from branchline.lakehouse.state import properties
from branchline.lakehouse.table import Table
from branchline.table_sets import AREA, Mounted, branch_schema, readable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Lakehouse"]


class Lakehouse:
    """The tables of one branch.

    An existing table is compared with its declaration at its first use; see `Table`.

    Args:
        spark: any session, classic or Connect.
        root: a folder (its path has a slash), or the name of a Unity Catalog catalog.
        schema: the branch's schema; `silver.transactions` is the folder
            `<root>/<schema>/silver/transactions`, or `<catalog>.<schema>.silver_transactions`.
        files: the folder of checkpoints and landed files; None is beside the tables of a folder,
            and the catalog's volume `<schema>.files`.
        table_set: where versioned tables are read and written. Without one they are read where
            production's readers see them, as of the first use, if the schema is production's;
            else they are the schema's own, as all others.
    """

    def __init__(self, spark: SparkSession, root: str, schema: str,
                 files: str | None = None, table_set: str = "") -> None:
        self.spark = spark
        self.root = root
        self.schema = schema
        self.files = files
        self.table_set = table_set
        self._storage = (Folder if "/" in root else Catalog)(spark, root, schema)
        self._to_read: set[Table] = set()  # as declared in this session
        self._to_write: set[Table] = set()

    def reference(self, table: Table) -> str:
        """The table's name in SQL."""
        return self._storage_of(table).reference(table)

    def exists(self, table: Table) -> bool:
        return self._storage_of(table).exists(table)

    def create(self, table: Table) -> None:
        """Create the table, or bring the one that exists to its declaration.

        Raises:
            BadInput: newer code wrote the table, or it differs and there is no migration.
        """
        if not self.exists(table):
            self._storage_of(table).create_schema()
            self.spark.sql(create_table(table, self.reference(table), properties(table)))
        elif table not in self._to_write:
            update(self.spark, self._storage_of(table), table, write=True)
        if table.time and table not in self._to_write:
            self._storage_of(table).register(table)
        self._to_write.add(table)

    def begin(self, table: Table, source: Lakehouse, version: int) -> None:
        """Make the table a shallow clone of the source's at that version, unless it is there."""
        if not self._storage_of(table).is_whole(table):
            self._storage_of(table).create_schema()
            self.spark.sql(f"CREATE TABLE {self.reference(table)} SHALLOW CLONE "
                           f"{source.reference(table)} VERSION AS OF {version}")

    def copy(self, table: Table, origin: Lakehouse) -> bool:
        """Copy the origin's table, in its format, unless the table is there; whether it did.

        The two share no file. A killed copy leaves no table.
        """
        storage = self._storage_of(table)
        if storage.is_whole(table):
            return False
        storage.create_schema()
        return copy_table(self.spark, table, origin.reference(table), storage)

    def drop(self, table: Table) -> None:
        """Delete the table and its rows, if it exists."""
        if self.exists(table):
            self._storage_of(table).drop(table)
        self._to_read.discard(table)
        self._to_write.discard(table)

    def read(self, table: Table, version: int | None = None) -> DataFrame:
        """The table's rows, now or as of a version.

        Raises:
            BadInput: no step has written the table yet, newer code has written it, or its rows have
                another format and there is no migration.
        """
        if not self.exists(table):
            raise BadInput(f"table {table.name}: not found in schema {self.schema} of {self.root}; "
                           "run the step that writes it first, or the whole project.")
        if table not in self._to_read | self._to_write:
            update(self.spark, self._storage_of(table), table, write=False)
            self._to_read.add(table)
        if version is None:
            return aligned(self.spark.table(self.reference(table)), table)
        rows = self.spark.sql(f"SELECT * FROM {self.reference(table)} VERSION AS OF {version}")
        demand_same_format(self.spark, table, rows, version)
        return aligned(rows, table)

    def version(self, table: Table) -> int:
        """The number of the table's newest Delta version."""
        return self.history(table, 1)[0].version

    def history(self, table: Table, limit: int) -> list[Commit]:
        """The table's last commits, newest first."""
        return self._storage_of(table).history(table, limit)

    def commit(self, table: Table) -> str:
        """The number and the time of the table's newest commit, such as `7/1543...`; NO_COMMIT.

        A table that was dropped and created again counts from 0 again, but at another time.
        """
        return self._storage_of(table).commit(table)

    def has_commit(self, table: Table, commit: str) -> bool:
        """Whether the table's history has this commit."""
        return self._storage_of(table).has_commit(table, commit)

    def snapshot(self, table: Table) -> str:
        """The table as it is now, `schema@version`: what the parameter `pins` takes."""
        return f"{self.schema}@{self.version(table)}"

    def merge(self, table: Table, rows: DataFrame) -> None:
        """Insert the rows whose key is not in the table yet, in one transaction."""
        self.create(table)
        names = [quoted(name) for name in table.column_names]
        same_key = " AND ".join(f"old.{quoted(name)} = new.{quoted(name)}" for name in table.key)
        values = ", ".join(f"new.{name}" for name in names)
        rows.select(table.column_names).createOrReplaceTempView("new_rows")
        self.spark.sql(f"MERGE INTO {self.reference(table)} AS old USING new_rows AS new "
                       f"ON {same_key} WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) "
                       f"VALUES ({values})")

    def overwrite(self, table: Table, rows: DataFrame, where: str) -> None:
        """Replace the rows that meet the condition `where` by `rows`, in one transaction."""
        from pyspark.sql import functions as F
        self.create(table)
        rows.select(table.column_names).writeTo(self.reference(table)).overwrite(F.expr(where))

    def delete(self, table: Table, keys: DataFrame) -> None:
        """Delete the rows that equal a row of `keys` in all of its columns, in one transaction."""
        same = " AND ".join(f"old.{quoted(name)} = gone.{quoted(name)}" for name in keys.columns)
        keys.distinct().createOrReplaceTempView("gone_keys")
        self.spark.sql(f"MERGE INTO {self.reference(table)} AS old USING gone_keys AS gone "
                       f"ON {same} WHEN MATCHED THEN DELETE")

    def stream(self, table: Table, start: int = 0) -> DataFrame:
        """The table's rows as a stream; without a checkpoint it begins with version `start`."""
        reader = self.spark.readStream.format("delta")
        return self._storage_of(table).stream(
            reader.option("startingVersion", str(start)) if start else reader, table)

    def area(self, name: str) -> str:
        """A folder of this schema for checkpoints or landed files."""
        if self.files is not None:
            return f"{self.files}/{self.schema}/{name}"
        return self._storage.area(name)

    def writing(self) -> AbstractContextManager[None]:
        """Lock the schema for one writer, if the storage needs it.

        Raises:
            TablesBusy: another process is writing this schema.
        """
        return self._storage.writing()

    @property
    def manifests(self) -> Mounted:
        """The manifests of production's table sets, one folder for all data of a branch."""
        schema = branch_schema(self.schema)
        return Mounted(Path(f"{self.files}/{schema}/{AREA}" if self.files is not None else
                            type(self._storage)(self.spark, self.root, schema).area(AREA)))

    @cached_property
    def _seen(self) -> Mapping[str, str]:
        """The table sets that readers see, by the table's name."""
        return readable(self.manifests, self.schema)

    def _storage_of(self, table: Table) -> Folder | Catalog:
        found = (self.table_set or self._seen.get(table.name)) if table.versioned else None
        return self._storage.of_set(found) if found else self._storage
