"""Tables of today's and of earlier code, and what a changed declaration makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from branchline.errors import BadInput
from branchline.lakehouse import Column, Lakehouse, Migration, Table
from branchline.lakehouse.appends import append_once

pytestmark = pytest.mark.spark

ID = Column("id", "BIGINT", "Its number", required=True)
WORD = Column("word", "STRING", "b\\")
TABLE = Table("silver.things", "It's a \"thing\"", ("id",), (ID, WORD), filtered_by=("id",))
WIDER = replace(TABLE, columns=(ID, Column("size", "DOUBLE", "How 'big' it is"), WORD))

# What the code before formats ran for TABLE.
OLD = ("CREATE TABLE {} (`id` BIGINT NOT NULL COMMENT 'Its number', `word` STRING COMMENT 'b\\\\') "
       "USING DELTA COMMENT 'It\\'s a \"thing\"' "
       "TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'id')")


@pytest.fixture(params=["folder", "catalog"])
def tables(request: pytest.FixtureRequest, spark: Any, tmp_path: Path) -> Iterator[Lakehouse]:
    """A lakehouse of each storage; Spark's own catalog stands in for Unity Catalog."""
    if request.param == "folder":
        yield Lakehouse(spark, str(tmp_path / "lakehouse"), "a_branch")
        return
    spark.sql(f"CREATE SCHEMA spark_catalog.evolution LOCATION '{tmp_path}'")
    yield Lakehouse(spark, "spark_catalog", "evolution", files=str(tmp_path))
    spark.sql("DROP SCHEMA spark_catalog.evolution CASCADE")


@pytest.fixture
def old(tables: Lakehouse) -> Lakehouse:
    """A table as the code before formats made and filled it."""
    tables.spark.sql(OLD.format(tables.reference(TABLE)))
    tables.spark.sql(f"INSERT INTO {tables.reference(TABLE)} VALUES (1, '10'), (2, NULL)")
    return tables


def again(lakehouse: Lakehouse) -> Lakehouse:
    """The same tables in a session that has not looked at them yet."""
    return Lakehouse(lakehouse.spark, lakehouse.root, lakehouse.schema, lakehouse.files)


def held(lakehouse: Lakehouse, table: Table) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in lakehouse.read(table).collect())


def made(lakehouse: Lakehouse, table: Table, *values: tuple[Any, ...]) -> Any:
    return lakehouse.spark.createDataFrame(list(values), ", ".join(
        f"{column.name} {column.type}" for column in table.columns))


def stored(lakehouse: Lakehouse, table: Table) -> dict[str, str]:
    found = lakehouse.spark.sql(f"SHOW TBLPROPERTIES {lakehouse.reference(table)}").collect()
    return {row["key"]: row["value"] for row in found}


def test_a_table_older_than_formats_is_read_as_it_is_and_written_as_format_1(
        old: Lakehouse) -> None:
    version = old.version(TABLE)
    assert held(old, TABLE) == [(1, "10"), (2, None)]
    assert old.version(TABLE) == version
    old.merge(TABLE, made(old, TABLE, (2, "other"), (3, "c")))
    assert held(old, TABLE) == [(1, "10"), (2, None), (3, "c")]
    assert stored(old, TABLE)["branchline.format"] == "1"
    assert stored(old, TABLE)["branchline.key"] == "id"


def test_opening_a_matching_table_does_not_write_it(tables: Lakehouse) -> None:
    tables.create(TABLE)
    version = tables.version(TABLE)
    again(tables).create(TABLE)
    assert tables.version(TABLE) == version


def test_a_new_column_is_null_when_read_and_added_with_its_comment_when_written(
        old: Lakehouse) -> None:
    assert held(old, WIDER) == [(1, None, "10"), (2, None, None)]
    assert "size" not in old.spark.table(old.reference(WIDER)).columns
    old.overwrite(WIDER, made(old, WIDER, (3, 1.5, "c")), "id = 3")
    assert held(old, WIDER) == [(1, None, "10"), (2, None, None), (3, 1.5, "c")]
    field = old.spark.table(old.reference(WIDER)).schema["size"]
    assert field.metadata["comment"] == "How 'big' it is" and field.nullable


def test_code_that_does_not_know_a_new_column_keeps_reading_and_writing(
        tables: Lakehouse) -> None:
    tables.merge(WIDER, made(tables, WIDER, (1, 1.5, "a")))
    earlier = again(tables)
    earlier.merge(TABLE, made(earlier, TABLE, (2, "b")))
    earlier.overwrite(TABLE, made(earlier, TABLE, (3, "c")), "id = 3")
    append_once(earlier, TABLE, made(earlier, TABLE, (4, "d")), "landed", 1)
    assert held(earlier, TABLE) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert held(tables, WIDER) == [(1, 1.5, "a"), (2, None, "b"), (3, None, "c"), (4, None, "d")]


def test_a_column_may_become_required_if_no_row_lacks_it(tables: Lakehouse) -> None:
    strict = replace(TABLE, columns=(ID, replace(WORD, required=True)))
    tables.merge(TABLE, made(tables, TABLE, (1, "a")))
    later = again(tables)
    later.create(strict)
    with pytest.raises(Exception, match="branchline_required"):
        later.merge(strict, made(later, strict, (2, None)))
    looser = again(tables)
    looser.merge(TABLE, made(looser, TABLE, (2, None)))
    with pytest.raises(BadInput, match="found rows with NULL in a required column"):
        again(tables).create(strict)


def number(rows: Any) -> Any:
    return rows.selectExpr("id", "CAST(word AS INT) AS number", "coalesce(word, 'none') AS word")


MIGRATED = Table(
    "silver.things", "A thing with a number", ("id", "word"),
    (ID, Column("word", "STRING", "Its word", True), Column("number", "INT", "The word's")),
    format=2, migrations=(Migration(2, number),))


def test_a_migration_replaces_rows_columns_key_and_format_in_one_commit(old: Lakehouse) -> None:
    version = old.version(TABLE)
    assert held(old, MIGRATED) == [(1, "10", 10), (2, "none", None)]
    assert stored(old, MIGRATED)["branchline.format"] == "2"
    assert stored(old, MIGRATED)["branchline.key"] == "id,word"
    fields = old.spark.table(old.reference(MIGRATED)).schema
    assert [field.metadata["comment"] for field in fields] == [
        "Its number", "Its word", "The word's"]
    history = old.spark.sql(f"DESCRIBE HISTORY {old.reference(MIGRATED)}").collect()
    assert [row["operation"] for row in history if row["version"] > version] == [
        "ADD CONSTRAINT", "CREATE OR REPLACE TABLE AS SELECT"]


def test_a_migrated_table_still_refuses_a_row_without_a_required_value(old: Lakehouse) -> None:
    old.create(MIGRATED)
    with pytest.raises(Exception, match="branchline_required"):
        old.merge(MIGRATED, made(old, MIGRATED, (3, None, 3)))
    assert len(held(old, MIGRATED)) == 2


def test_a_migration_runs_once(old: Lakehouse) -> None:
    old.create(MIGRATED)
    version = old.version(MIGRATED)
    later = again(old)
    later.create(MIGRATED)
    assert held(later, MIGRATED) == [(1, "10", 10), (2, "none", None)]
    assert later.version(MIGRATED) == version


def test_migrations_run_in_order_from_the_tables_format(old: Lakehouse) -> None:
    third = replace(MIGRATED, columns=(*MIGRATED.columns, Column("twice", "INT", "2 numbers")),
                    format=3, migrations=(Migration(3, lambda rows: rows.selectExpr(
                        "*", "2 * number AS twice")), *MIGRATED.migrations))
    assert held(old, third) == [(1, "10", 10, 20), (2, "none", None, None)]
    assert stored(old, third)["branchline.format"] == "3"


def test_newer_tables_are_neither_read_nor_written(old: Lakehouse) -> None:
    old.create(MIGRATED)
    says = "table silver.things: found format 2, expected 1 or older; newer code wrote it. Upgrade"
    with pytest.raises(BadInput, match=says):
        again(old).read(TABLE)
    with pytest.raises(BadInput, match=says):
        again(old).merge(TABLE, made(old, TABLE, (9, "i")))


def test_rows_from_before_a_migration_are_not_read_as_current_rows(old: Lakehouse) -> None:
    version = old.version(TABLE)
    changed = replace(TABLE, columns=(ID, replace(WORD, type="INT")), format=2, migrations=(
        Migration(2, lambda rows: rows.selectExpr("id", "CAST(word AS INT) AS word")),))
    with pytest.raises(BadInput, match=f"version {version} is from before a migration: column "
                       "word: found STRING, expected INT. Read a later version"):
        old.read(changed, version)


CHANGES = {
    "type": (replace(TABLE, columns=(ID, replace(WORD, type="INT"))),
             "column word: found STRING, expected INT. Declare format=2 and add a Migration"),
    "required": (replace(TABLE, columns=(ID, WORD, Column("x", "DATE", "", True))),
                 "column x: found none, expected DATE NOT NULL. Declare format=2"),
    "dropped": (replace(TABLE, key=(), columns=(WORD,)),
                "key: found id, expected ; column id: found BIGINT NOT NULL, expected no such"),
    "key": (replace(TABLE, key=("id", "word")), "key: found id, expected id, word. Declare"),
    "no migration": (replace(TABLE, format=3, migrations=(Migration(3, number),)),
                     "found format 1, expected 3, and no migration to format 2. Add it"),
    "wrong migration": (replace(MIGRATED, migrations=(Migration(2, lambda rows: rows),),
                                columns=(*MIGRATED.columns, Column("x", "DATE", "", True))),
                        "the migration to format 2 returns other columns than declared: "
                        "column x: found none, expected DATE NOT NULL. Correct its function"),
    "nulls": (replace(MIGRATED, migrations=(Migration(2, lambda rows: rows.selectExpr(
        "id", "nullif(word, 'a') AS word", "1 AS number")),)),
        "the migration to format 2 leaves NULL in column word, expected STRING NOT NULL"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_cannot_be_made_is_an_error_of_one_line_and_leaves_the_table(
        change: str, lakehouse: Lakehouse) -> None:
    changed, says = CHANGES[change]
    lakehouse.merge(TABLE, made(lakehouse, TABLE, (1, "a")))
    version = lakehouse.version(TABLE)
    for use in (lakehouse.read, lakehouse.create):
        with pytest.raises(BadInput) as refused:
            use(changed)
        assert str(refused.value).startswith("table silver.things: ")
        assert says in str(refused.value) and "\n" not in str(refused.value)
    assert lakehouse.version(TABLE) == version


@pytest.mark.parametrize("declared", ["DECIMAL(10, 2)", "INTEGER", "ARRAY<STRUCT<a: INT>>",
                                      "VARCHAR(5)", "TIMESTAMP_NTZ"])
def test_another_spelling_of_a_type_is_not_a_change(
        declared: str, lakehouse: Lakehouse) -> None:
    table = replace(TABLE, columns=(ID, Column("value", declared, "Any")))
    lakehouse.create(table)
    version = lakehouse.version(table)
    again(lakehouse).create(table)
    assert lakehouse.version(table) == version


def test_a_format_that_is_not_a_number_is_an_error_of_one_line(lakehouse: Lakehouse) -> None:
    lakehouse.create(TABLE)
    lakehouse.spark.sql(f"ALTER TABLE {lakehouse.reference(TABLE)} "
                        "SET TBLPROPERTIES ('branchline.format' = 'two')")
    with pytest.raises(BadInput, match="its property branchline.format is 'two'; expected a num"):
        again(lakehouse).read(TABLE)
