"""The declaration of a table: its meaning, key, columns, format version and migrations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["NO_COMMIT", "Column", "Migration", "Table"]

NO_COMMIT = "none"  # of a table that is not there


@dataclass(frozen=True)
class Column:
    """A column: its name, Spark SQL type, meaning, and whether every row must have a value.

    One that `varies` has another value in each run, such as a time of ingestion or a model's id:
    a comparison of two branches leaves it out. One that is `delayed`, such as a label, is known
    later than its row's time: a training set asks from when on.
    """

    name: str
    type: str
    meaning: str
    required: bool = False
    varies: bool = False
    delayed: bool = False


@dataclass(frozen=True)
class Migration:
    """How rows of format `to` - 1 become rows of format `to`.

    The function takes the whole table and returns the whole table. It may be called more than
    once, so it must only transform: no counting, no writing elsewhere. The table is rewritten:
    afterwards, clustering and properties set by hand are those of a new table.
    """

    to: int
    function: Callable[[DataFrame], DataFrame]


@dataclass(frozen=True)
class Table:
    """A table: `layer.name`, what a row is, the columns that identify it, all columns.

    `filtered_by` are the columns that Delta keeps statistics of, to skip files; none means all
    columns, which costs a wide table a fifth of its writing time. A table of `kpis` holds no
    personal data: a comparison of two branches prints the figures that changed most.

    Each deployment writes a copy of its own of a `versioned` table, which begins with the rows of
    the one before, so that a rollback returns to rows as well as to code. Tables that steps append
    to from a stream cannot be versioned: their streams' progress is not.

    A table with a `time`, a required column of timestamps, is a feature table: each row says what
    was known at that time. On Databricks it is registered as one, with its key.

    A new column that a row need not have is added to existing tables. Any other change of columns
    or key asks for the next `format`, and for a migration to it.
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    filtered_by: tuple[str, ...] = ()
    format: int = 1
    migrations: tuple[Migration, ...] = ()
    kpis: bool = False
    versioned: bool = False
    time: str | None = None

    @property
    def ddl(self) -> str:
        """The columns' names and types, as Spark takes a schema in text."""
        return ", ".join(f"{column.name} {column.type}" for column in self.columns)

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]
