"""What is sent to Unity Catalog, to which Spark's own catalog listens here but for the keys."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pyspark.errors import PySparkException

from branchline import Column, Lakehouse, Table

pytestmark = pytest.mark.spark

FEATURES = Table("gold.features", "Features", ("id",), (
    Column("id", "STRING", "The event", True), Column("at", "TIMESTAMP", "Its time", True),
    Column("size", "DOUBLE", "Its size")), time="at")
TABLE = "`dev`.`registered`.`gold_features`"
KEY = [f"ALTER TABLE {TABLE} DROP PRIMARY KEY IF EXISTS",
       f"ALTER TABLE {TABLE} ADD CONSTRAINT `gold_features_key` PRIMARY KEY "
       "(`id`, `at` TIMESERIES)"]
NOTED = (f"ALTER TABLE {TABLE} SET TBLPROPERTIES ('branchline.primary_key' = "
         f"'{TABLE} (id, at)')")


class UnityCatalog:
    """A session whose catalog `dev` is Spark's; what that does not know is only kept."""

    def __init__(self, spark: Any, refuses: bool = False) -> None:
        self.spark, self.catalog, self.refuses = spark, self, refuses
        self.altered: list[str] = []

    def sql(self, query: str) -> Any:
        if query.startswith("ALTER TABLE"):
            self.altered.append(query)
        if " PRIMARY KEY " in query or " SET NOT NULL" in query:
            if self.refuses:
                raise PySparkException("PERMISSION_DENIED:\nuser is not an owner")
            return None
        return self.spark.sql(here(query))

    def table(self, reference: str) -> Any:
        return self.spark.table(here(reference))

    def tableExists(self, reference: str) -> bool:
        return bool(self.spark.catalog.tableExists(here(reference)))


def here(text: str) -> str:
    return text.replace("`dev`", "`spark_catalog`", 1)


@pytest.fixture
def catalog(spark: Any) -> Iterator[UnityCatalog]:
    yield UnityCatalog(spark)
    spark.sql("DROP SCHEMA IF EXISTS spark_catalog.registered CASCADE")


def created(catalog: UnityCatalog, table: Table, name: str = "dev") -> list[str]:
    """What a run's first write of the table alters, and its second does not alter again."""
    catalog.altered.clear()
    lakehouse = Lakehouse(catalog, name, "registered")  # type: ignore[arg-type]
    lakehouse.create(table)
    lakehouse.create(table)
    return list(catalog.altered)


def test_a_feature_table_gets_its_primary_key_with_the_time_once(catalog: UnityCatalog) -> None:
    assert created(catalog, FEATURES) == [*KEY, NOTED]
    assert created(catalog, FEATURES) == []
    rows = catalog.spark.table("spark_catalog.registered.gold_features")
    assert rows.schema["id"].metadata["comment"] == "The event"


def test_columns_of_a_key_that_a_copy_left_nullable_become_not_null(catalog: UnityCatalog) -> None:
    created(catalog, replace(FEATURES, time=None))
    loose = [replace(column, required=False) for column in FEATURES.columns]
    created(catalog, replace(FEATURES, time=None, columns=tuple(loose)))
    assert created(catalog, replace(FEATURES, columns=tuple(loose))) == [
        f"ALTER TABLE {TABLE} ALTER COLUMN `id` SET NOT NULL",
        f"ALTER TABLE {TABLE} ALTER COLUMN `at` SET NOT NULL", *KEY, NOTED]


def test_a_run_that_may_not_alter_the_table_goes_on_and_the_next_tries_again(
        catalog: UnityCatalog, caplog: pytest.LogCaptureFixture) -> None:
    catalog.refuses = True
    with caplog.at_level(logging.WARNING):
        assert created(catalog, FEATURES) == KEY[:1]
    assert ("table gold.features: could not be registered as a feature table: PERMISSION_DENIED: "
            "user is not an owner; expected the right") in caplog.text
    catalog.refuses = False
    assert created(catalog, FEATURES) == [*KEY, NOTED]


@pytest.mark.parametrize(("table", "name"), [
    (replace(FEATURES, time=None), "dev"), (FEATURES, "spark_catalog")])
def test_other_tables_and_catalogs_get_no_key(
        catalog: UnityCatalog, table: Table, name: str) -> None:
    assert created(catalog, table, name) == []
