"""Readers' views on a catalog: `<schema>.gold_scores` shows the table of the set to be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from branchline.errors import BadInput
from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.sql import quoted
from branchline.table_sets import Manifest, TableSets, branch_schema

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["move_views"]


def move_views(lakehouse: Lakehouse, sets: TableSets) -> int:
    """Point the views of a project to what its manifests say, in every schema of the branch.

    A catalog replaces one view at a time. If two processes do it at once, each looks at the
    manifests again after its last view and starts over if they have changed, so that the views end
    up as the newest says. What a killed process left is completed by the next call.

    Returns:
        How many views were written; none in a folder, where readers follow the manifests.

    Raises:
        BadInput: a table has a view's name.
    """
    if "/" in lakehouse.root:
        return 0
    count = 0
    while True:
        schemas = list(_schemas(lakehouse, sets))
        wanted = {schema: sets.readable(schema) for schema in schemas}
        names = sets.table_names()
        for schema, manifest in wanted.items():
            count += _Views(lakehouse.spark, lakehouse.root, schema).move(names, manifest)
        if wanted == {schema: sets.readable(schema) for schema in schemas}:
            return count


def _schemas(lakehouse: Lakehouse, sets: TableSets) -> Iterator[str]:
    """The branch's schemas that have a table set of the project."""
    branch = re.escape(branch_schema(lakehouse.schema))
    pattern = re.compile(rf"({branch}(?:__.+)?)__{re.escape(sets.project)}_[0-9]+")
    found = lakehouse.spark.sql(f"SHOW SCHEMAS IN {quoted(lakehouse.root)}").collect()
    matches = (pattern.fullmatch(row[0]) for row in found)
    yield from sorted({match[1] for match in matches if match})


class _Views:
    """The views in a schema."""

    def __init__(self, spark: SparkSession, catalog: str, schema: str) -> None:
        self._spark, self._catalog, self._schema = spark, catalog, schema

    def move(self, names: set[str], manifest: Manifest | None) -> int:
        """Write or drop the view of each table; how many were written."""
        views, written = self._found("VIEWS", self._schema), 0
        targets = self._targets(manifest)
        for name in sorted(names):
            view = name.replace(".", "_")
            if view in targets:
                self._require_free(view, views)
                self._spark.sql(f"CREATE OR REPLACE VIEW {self._reference(self._schema, view)} AS "
                                f"SELECT * FROM {targets[view]}")
                written += 1
            elif view in views:
                self._spark.sql(f"DROP VIEW IF EXISTS {self._reference(self._schema, view)}")
        return written

    def _targets(self, manifest: Manifest | None) -> Mapping[str, str]:
        """The tables to be shown, by the view's name."""
        if manifest is None:
            return {}
        schema = f"{self._schema}__{manifest.table_set}"
        there = self._found("TABLES", schema)
        views = {name.replace(".", "_") for name in manifest.tables}
        return {view: self._reference(schema, view) for view in views & there}

    def _require_free(self, view: str, views: set[str]) -> None:
        name = self._reference(self._schema, view)
        if view not in views and self._spark.catalog.tableExists(name):
            raise BadInput(f"{name}: is a table; expected the view that production's readers read. "
                           f"Its rows are in the table set: rename it (ALTER TABLE {name} RENAME "
                           "TO ...), and run the job again.")

    def _found(self, kind: str, schema: str) -> set[str]:
        rows = self._spark.sql(f"SHOW {kind} IN {quoted(self._catalog)}.{quoted(schema)}")
        return {row[1] for row in rows.collect()}

    def _reference(self, schema: str, name: str) -> str:
        return ".".join(map(quoted, (self._catalog, schema, name)))
