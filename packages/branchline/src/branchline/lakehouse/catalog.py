"""Tables in a Unity Catalog catalog, and its volume for files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from branchline.lakehouse.commits import Commit
from branchline.lakehouse.feature_table import is_in_unity_catalog, register
from branchline.lakehouse.sql import quoted
from branchline.lakehouse.table import NO_COMMIT, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.readwriter import DataStreamReader

__all__ = ["Catalog"]


class Catalog:
    """`silver.transactions` is the table `<catalog>.<schema>.silver_transactions`."""

    def __init__(self, spark: SparkSession, name: str, schema: str) -> None:
        self._spark = spark
        self._name = name
        self._schema = schema

    def reference(self, table: Table) -> str:
        names = (self._name, self._schema, table.name.replace(".", "_"))
        return ".".join(quoted(name) for name in names)

    def exists(self, table: Table) -> bool:
        return self._spark.catalog.tableExists(self.reference(table))

    def is_whole(self, table: Table) -> bool:
        return self.exists(table)

    def of_set(self, name: str) -> Catalog:
        """The tables of a table set: in the schema `<schema>__<name>`."""
        return Catalog(self._spark, self._name, f"{self._schema}__{name}")

    def commit(self, table: Table) -> str:
        newest = self._commits(table, "LIMIT 1").first() if self.exists(table) else None
        return str(newest["commit"]) if newest else NO_COMMIT

    def history(self, table: Table, limit: int) -> list[Commit]:
        """The last commits, newest first."""
        found = self._spark.sql(f"DESCRIBE HISTORY {self.reference(table)} LIMIT {limit}")
        return [Commit(row["version"], row["userMetadata"], row["operationMetrics"] or {})
                for row in found.select("version", "userMetadata", "operationMetrics").collect()]

    def has_commit(self, table: Table, commit: str) -> bool:
        return self._commits(table).where(f"commit = '{commit}'").count() > 0

    def _commits(self, table: Table, limit: str = "") -> DataFrame:
        return (self._spark.sql(f"DESCRIBE HISTORY {self.reference(table)} {limit}")
                .selectExpr("concat(version, '/', unix_millis(timestamp)) AS commit"))

    def drop(self, table: Table) -> None:
        self._spark.sql(f"DROP TABLE {self.reference(table)}")

    def create_schema(self) -> None:
        self._spark.sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(self._name)}.{quoted(self._schema)}")

    def register(self, table: Table) -> None:
        """Make the table a feature table of Unity Catalog."""
        if is_in_unity_catalog(self._name):
            register(self._spark, table, self.reference(table))

    def area(self, name: str) -> str:
        return f"/Volumes/{self._name}/{self._schema}/files/{name}"

    def stream(self, reader: DataStreamReader, table: Table) -> DataFrame:
        return reader.table(self.reference(table))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """No lock: a catalog settles conflicts itself."""
        yield
