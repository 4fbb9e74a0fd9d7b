"""Copies a table into one of its own, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from branchline.lakehouse.state import FORMAT, KEY
from branchline.lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from branchline.lakehouse.catalog import Catalog
    from branchline.lakehouse.folder import Folder

__all__ = ["copy_table"]

KEPT = (FORMAT, KEY, "delta.dataSkippingStatsColumns")


def copy_table(spark: SparkSession, table: Table, origin: str,
               storage: Folder | Catalog) -> bool:
    """Copy rows, column comments and format; False if another session has done it meanwhile."""
    properties = {row["key"]: row["value"]
                  for row in spark.sql(f"SHOW TBLPROPERTIES {origin}").collect()}
    writer = (spark.table(origin).writeTo(storage.reference(table)).using("delta")
              .tableProperty("comment", table.meaning))
    for name in KEPT:
        if name in properties:
            writer = writer.tableProperty(name, properties[name])
    try:
        writer.create()
    except Exception:  # that the table exists has many names
        if not storage.is_whole(table):
            raise
        return False
    return True
