"""Registers a feature table in Unity Catalog: there it is a table with a primary key and a time.

Source: "Work with feature tables in Unity Catalog" and "ADD CONSTRAINT clause" in Databricks'
documentation; needs Databricks Runtime 13.3 or newer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from branchline.lakehouse.sql import assignments, quoted
from branchline.lakehouse.table import Table
from branchline.text import collapsed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["PRIMARY_KEY", "is_in_unity_catalog", "register"]

PRIMARY_KEY = "branchline.primary_key"  # what was declared; a clone has it, but not the key
OTHER_CATALOGS = ("spark_catalog", "hive_metastore")


def is_in_unity_catalog(catalog: str) -> bool:
    return catalog not in OTHER_CATALOGS


def register(spark: SparkSession, table: Table, reference: str) -> None:
    """Declare key and time of an existing table, once; a killed call is completed by the next.

    The declaration is information for others, so a run that may not write it goes on, with a
    warning.
    """
    from pyspark.errors import PySparkException
    properties = {row["key"]: row["value"]
                  for row in spark.sql(f"SHOW TBLPROPERTIES {reference}").collect()}
    if properties.get(PRIMARY_KEY) == _declared(table, reference):
        return
    nullable = {field.name for field in spark.table(reference).schema.fields if field.nullable}
    try:
        for statement in _statements(table, reference, nullable):
            spark.sql(statement)
    except PySparkException as problem:
        logging.getLogger(__name__).warning(
            "table %s: could not be registered as a feature table: %s; expected the right to "
            "alter it, and Databricks Runtime 13.3 or newer. The next run tries again.",
            table.name, collapsed(problem)[:300])


def _statements(table: Table, reference: str, nullable: set[str]) -> Iterator[str]:
    alter = f"ALTER TABLE {reference}"
    for name in _columns(table):
        if name in nullable:
            yield f"{alter} ALTER COLUMN {quoted(name)} SET NOT NULL"
    columns = ", ".join(quoted(name) + (" TIMESERIES" if name == table.time else "")
                        for name in _columns(table))
    yield f"{alter} DROP PRIMARY KEY IF EXISTS"
    yield (f"{alter} ADD CONSTRAINT {quoted(table.name.replace('.', '_') + '_key')} "
           f"PRIMARY KEY ({columns})")
    noted = assignments({PRIMARY_KEY: _declared(table, reference)})
    yield f"{alter} SET TBLPROPERTIES ({noted})"


def _declared(table: Table, reference: str) -> str:
    return f"{reference} ({', '.join(_columns(table))})"


def _columns(table: Table) -> tuple[str, ...]:
    """The key's columns, and the time where it is none of them."""
    return table.key if table.time in table.key else (*table.key, str(table.time))
