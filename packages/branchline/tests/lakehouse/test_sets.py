"""Table sets in a folder and in a catalog: a deployment's rows, readers, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from branchline.lakehouse import Column, Lakehouse, Migration, Table
from branchline.lakehouse.sets import begin_set, sets_of, show_set
from branchline.lakehouse.views import move_views
from branchline.table_sets import Manifest

pytestmark = pytest.mark.spark

ID = Column("id", "BIGINT", "Its number", True)
WORD = Column("word", "STRING", "Its word")
SCORES = Table("gold.scores", "Scores", ("id",), (ID, WORD), versioned=True)
KPIS = Table("gold.kpis", "KPIs", ("id",), (ID,), versioned=True)
SHARED = Table("silver.things", "Things", ("id",), (ID,))
# The next release drops a column.
FEWER = replace(SCORES, columns=(ID,), format=2, migrations=(
    Migration(2, lambda rows: rows.select("id")),))
NAMES = (SCORES.name, KPIS.name)


class Production:
    """Runs and readers of one production, each with a lakehouse of its own."""

    def __init__(self, spark: Any, root: str, files: str | None) -> None:
        self.spark, self.root, self.files = spark, root, files

    def lakehouse(self, table_set: str = "") -> Lakehouse:
        return Lakehouse(self.spark, self.root, "sets__data", self.files, table_set)

    def deploy(self, number: int, restores: int | None = None) -> None:
        """What deploy.py does with readers, and the job that it starts on a catalog."""
        here = self.lakehouse(f"scoring_{restores or number}")
        before = (restores or number) - 1
        sets_of(here).add(Manifest(number, f"scoring_{restores or number}", NAMES, before))
        if restores:
            move_views(here, sets_of(here))

    def run(self, number: int, scores: Table, value: int) -> list[str]:
        """A run in a deployment's set that writes one row; which tables it copied."""
        here = self.lakehouse(f"scoring_{number}")
        copied = begin_set(here, (SHARED, scores, KPIS))
        for table in (SHARED, scores, KPIS):
            row = here.spark.range(value, value + 1)
            here.merge(table, row if table is not SCORES else row.selectExpr("id", "'a' AS word"))
        show_set(here)
        return copied

    def seen(self, table: Table) -> list[tuple[Any, ...]]:
        """What readers see now: by name on a catalog, else by the manifests."""
        if "/" in self.root:
            here = self.lakehouse()
            return rows(here.read(table)) if here.exists(table) else []
        name = f"{self.root}.sets__data.{table.name.replace('.', '_')}"
        return rows(self.spark.table(name)) if self.spark.catalog.tableExists(name) else []


def rows(frame: Any) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in frame.collect())


@pytest.fixture(params=["folder", "catalog"])
def production(request: pytest.FixtureRequest, spark: Any, tmp_path: Path) -> Iterator[Production]:
    """A lakehouse of each storage; Spark's own catalog stands in for Unity Catalog."""
    if request.param == "folder":
        yield Production(spark, str(tmp_path / "lakehouse"), None)
        return
    yield Production(spark, "spark_catalog", str(tmp_path / "files"))
    for row in spark.sql("SHOW SCHEMAS IN spark_catalog LIKE 'sets__*'").collect():
        spark.sql(f"DROP SCHEMA spark_catalog.{row[0]} CASCADE")


def test_readers_move_to_a_releases_rows_once_it_has_run_and_back_by_rollback(
        production: Production) -> None:
    production.deploy(1)
    assert production.seen(SCORES) == []
    assert production.run(1, SCORES, 1) == []
    assert production.seen(SCORES) == [(1, "a")] and production.seen(KPIS) == [(1,)]
    production.deploy(2)
    assert production.seen(SCORES) == [(1, "a")]
    assert production.run(2, FEWER, 2) == ["gold.scores", "gold.kpis"]
    assert production.seen(FEWER) == production.seen(KPIS) == [(1,), (2,)]
    production.deploy(3, restores=1)
    assert production.seen(SCORES) == [(1, "a")] and production.seen(KPIS) == [(1,)]
    assert rows(production.lakehouse().read(SHARED)) == [(1,), (2,)]  # of all versions
    assert production.run(2, FEWER, 4) == []  # a run that was still at work
    assert production.seen(SCORES) == [(1, "a")] and production.seen(KPIS) == [(1,)]
    assert production.run(1, SCORES, 3) == []
    assert production.seen(SCORES) == [(1, "a"), (3, "a")]
