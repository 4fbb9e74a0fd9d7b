"""The life of a table set: it begins with the rows that readers see, and is read once filled."""

from __future__ import annotations

from collections.abc import Iterable

from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.table import Table
from branchline.lakehouse.views import move_views
from branchline.table_sets import TableSets, project_of

__all__ = ["begin_set", "show_set", "sets_of"]


def sets_of(lakehouse: Lakehouse) -> TableSets:
    """The table sets of the project whose set the lakehouse writes."""
    return TableSets(lakehouse.manifests, project_of(lakehouse.table_set))


def begin_set(lakehouse: Lakehouse, tables: Iterable[Table]) -> list[str]:
    """Copy the versioned tables that readers see into the set, each once; the copied ones' names.

    A copy keeps the origin's format: a migration then runs on the copy alone.
    """
    origin = Lakehouse(lakehouse.spark, lakehouse.root, lakehouse.schema, lakehouse.files)
    return [table.name for table in tables if table.versioned and origin.exists(table)
            and lakehouse.copy(table, origin)]


def show_set(lakehouse: Lakehouse) -> int:
    """Let readers see the set from now on, if it is that of the deployment in place.

    Returns:
        How many views were written: on a catalog, readers read views.
    """
    sets = sets_of(lakehouse)
    sets.mark_ready(lakehouse.table_set, lakehouse.schema)
    return move_views(lakehouse, sets)
