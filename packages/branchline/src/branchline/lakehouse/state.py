"""A table's state on disk: format version, key and columns, read without a Spark job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from branchline.errors import BadInput
from branchline.lakehouse.table import Column, Table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType

__all__ = ["FORMAT", "KEY", "REQUIRED", "State", "differences", "properties", "state_of"]

FORMAT = "branchline.format"
KEY = "branchline.key"
REQUIRED = "branchline_required"  # the CHECK constraint of columns that Delta holds as nullable


@dataclass(frozen=True)
class State:
    """A table on disk.

    `key` is None in a table from before keys were recorded. A column is required by the schema (NOT
    NULL) or by the constraint REQUIRED. Tables that a migration replaced have the latter, because
    Delta makes all columns of a query nullable.
    """

    format: int
    key: tuple[str, ...] | None
    schema: StructType
    constrained: tuple[str, ...] = ()

    @property
    def types(self) -> dict[str, str]:
        return {field.name: field.dataType.simpleString() for field in self.schema.fields}

    @property
    def not_null(self) -> list[str]:
        return [field.name for field in self.schema.fields if not field.nullable]


def properties(table: Table) -> dict[str, str]:
    """The properties of a table with this declaration."""
    skipping = ({"delta.dataSkippingStatsColumns": ",".join(table.filtered_by)}
                if table.filtered_by else {})
    return {FORMAT: str(table.format), KEY: ",".join(table.key), **skipping}


def state_of(spark: SparkSession, table: Table, reference: str) -> State:
    """Look at a table that exists.

    Raises:
        BadInput: its format version is not a number.
    """
    found = {row["key"]: row["value"]
             for row in spark.sql(f"SHOW TBLPROPERTIES {reference}").collect()}
    key = tuple(found[KEY].split(",")) if KEY in found else None
    constraint = found.get(f"delta.constraints.{REQUIRED}", "")
    return State(_format(table, found), key, spark.table(reference).schema,
                 tuple(re.findall(r"`([^`]+)` IS NOT NULL", constraint)))


def _format(table: Table, found: Mapping[str, str]) -> int:
    """A table without the property is older than formats: it counts as 1."""
    version = found.get(FORMAT, "1")
    if not version.isdecimal():
        raise BadInput(f"table {table.name}: its property {FORMAT} is {version!r}; expected a "
                       "number that only branchline writes. Set it to the format of its rows.")
    return int(version)


def differences(spark: SparkSession, table: Table, state: State) -> list[str]:
    """The differences that no ALTER TABLE can fix, as "column x: found ..., expected ..."."""
    types = state.types
    names = set(table.column_names)
    found = []
    if state.key is not None and state.key != table.key:
        found.append(f"key: found {', '.join(state.key)}, expected {', '.join(table.key)}")
    for column in table.columns:
        if column.name in types:
            if not _same_type(spark, column, types[column.name]):
                found.append(f"column {column.name}: found {types[column.name].upper()}, "
                             f"expected {column.type}")
        elif column.required:
            found.append(f"column {column.name}: found none, expected {column.type} NOT NULL")
    return found + [f"column {name}: found {types[name].upper()} NOT NULL, expected no such column"
                    for name in (*state.not_null, *state.constrained) if name not in names]


def _same_type(spark: SparkSession, column: Column, found: str) -> bool:
    """Compare by text; ask Spark, which costs milliseconds, only where the texts differ."""
    if column.type.lower() == found:
        return True
    declared = spark.sql(f"SELECT CAST(NULL AS {column.type}) AS c").schema.fields[0].dataType
    return declared.simpleString() == found
