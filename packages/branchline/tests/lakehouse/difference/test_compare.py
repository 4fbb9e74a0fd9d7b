from __future__ import annotations

from typing import Any

import pytest

from branchline import Column, Lakehouse, Table
from branchline.lakehouse.difference import Moved, Side, TableFound, compare, largest_moves

pytestmark = pytest.mark.spark
THINGS = Table("silver.things", "Things", ("id",), (
    Column("id", "BIGINT", "Number", True), Column("amount", "DOUBLE", "Its amount"),
    Column("name", "STRING", "Its name"),
    Column("taken_at", "TIMESTAMP", "When it was taken", varies=True)))


@pytest.fixture
def sides(lakehouse: Lakehouse) -> tuple[Lakehouse, Lakehouse]:
    """The tables of main and of a branch."""
    return Lakehouse(lakehouse.spark, lakehouse.root, "main"), lakehouse


def write(lakehouse: Lakehouse, query: str, table: Table = THINGS) -> None:
    lakehouse.spark.sql(query).writeTo(lakehouse.reference(table)).using("delta").create()


def values(*rows: str, columns: str = "id, amount, name, taken_at") -> str:
    return f"SELECT * FROM VALUES {', '.join(rows)} AS t({columns})"


def found(sides: tuple[Lakehouse, Lakehouse], table: Table = THINGS, **about: Any) -> TableFound:
    return compare(table, *(Side.of(side, table) for side in sides), **about)[0]


def counts(table: TableFound) -> tuple[int | None, ...]:
    return table.removed, table.added, table.common, table.changed


def equal(table: TableFound) -> dict[str, int | None]:
    return {column.name: column.equal for column in table.columns}


def test_rows_are_matched_by_key_and_their_values_compared_by_column(
        sides: tuple[Lakehouse, Lakehouse]) -> None:
    before, after = sides
    write(before, values("(1L, 1D, 'a', now())", "(2L, 2D, 'b', now())", "(3L, 3D, 'c', now())",
                         "(4L, 4D, NULL, now())", "(9L, 9D, 'gone', now())"))
    write(after, values("(1L, 1D, 'a', date_add(now(), 1)::timestamp)", "(2L, 2.5D, 'b', now())",
                        "(3L, 3.5D, 'd', now())", "(4L, 4D, NULL, now())",
                        "(5L, 5D, 'new', now())", "(6L, 6D, 'new', now())"))
    table = found(sides)
    assert counts(table) == (1, 2, 4, 2)
    assert equal(table) == {"id": None, "amount": 2, "name": 3, "taken_at": None}
    assert (table.before, table.after, table.varying) == ((0, 5), (0, 6), ("taken_at",))
    assert table.differs_in == ("rows", "values")


def test_nan_and_null_equal_themselves_and_nothing_else(
        sides: tuple[Lakehouse, Lakehouse]) -> None:
    nan, inf, now = "double('NaN')", "double('Infinity')", "'x', now()"
    write(sides[0], values(*(f"({at}L, {value}, {now})" for at, value in enumerate(
        [nan, "NULL", inf, "0D", nan, "NULL", inf, "1e308D"]))))
    write(sides[1], values(*(f"({at}L, {value}, {now})" for at, value in enumerate(
        [nan, "NULL", inf, "-0D", "1D", nan, "1D", "-1e308D"]))))
    for tolerance in (0, 0.5):  # which no value that is not finite is within
        assert equal(found(sides, tolerance=tolerance))["amount"] == 4


def test_floats_are_compared_exactly_unless_a_tolerance_is_given(
        sides: tuple[Lakehouse, Lakehouse]) -> None:
    write(sides[0], values("(1L, 0.3D, 'a', now())", "(2L, 100D, 'a', now())"))
    write(sides[1], values("(1L, 0.1D + 0.2D, 'a', now())", "(2L, 101D, 'a', now())"))
    assert [equal(found(sides, tolerance=tolerance))["amount"]
            for tolerance in (0, 1e-9, 0.02)] == [0, 1, 2]


def test_an_equal_table_differs_in_nothing(sides: tuple[Lakehouse, Lakehouse]) -> None:
    for side in sides:
        write(side, values("(1L, 0.3D, 'a', now())"))
    table = found(sides)
    assert table.differs_in == () and counts(table) == (0, 0, 1, 0)


def test_added_removed_and_retyped_columns_are_reported_and_the_rest_is_compared(
        sides: tuple[Lakehouse, Lakehouse]) -> None:
    write(sides[0], values("(1L, 1.5D, 'a', 7)", "(2L, 2D, 'b', 7)", columns="id, amount, name, n"))
    write(sides[1], values("(1L, '1.5', 'a', 7L)", "(2L, 'two', 'b', 8L)",
                           columns="id, amount, other, n"))
    table = found(sides)
    assert {column.name: column.change for column in table.columns if column.change} == {
        "amount": "double to string", "name": "removed", "other": "added", "n": "int to bigint"}
    assert equal(table) == {"id": None, "amount": 1, "name": None, "other": None, "n": 1}
    assert table.differs_in == ("schema", "values")


def test_maps_and_nested_values_are_compared_too(sides: tuple[Lakehouse, Lakehouse]) -> None:
    for side, value in zip(sides, ("1", "2"), strict=True):
        write(side, f"SELECT 1L AS id, map('a', {value}) AS m, named_struct('x', array({value})) AS"
                    f" s, map('a', 1) AS same")
    assert equal(found(sides)) == {"id": None, "m": 0, "s": 0, "same": 1}


def test_a_table_on_one_side_only_is_reported(sides: tuple[Lakehouse, Lakehouse]) -> None:
    write(sides[1], values("(1L, 1D, 'a', now())"))
    table = found(sides)
    assert (table.before, table.after) == (None, (0, 1))
    assert table.differs_in == ("schema", "rows")
    assert found((sides[1], sides[0])).after is None


def test_a_key_that_is_not_unique_is_reported_instead_of_counts(
        sides: tuple[Lakehouse, Lakehouse]) -> None:
    write(sides[0], values("(1L, 1D, 'a', now())"))
    write(sides[1], values("(1L, 1D, 'a', now())", "(1L, 2D, 'a', now())"))
    table = found(sides)
    assert table.not_matched == "the key id is not unique"
    assert counts(table) == (None,) * 4 and table.differs_in == ("rows", "values")


def test_a_key_that_cannot_match_rows_is_reported(
        sides: tuple[Lakehouse, Lakehouse]) -> None:
    write(sides[0], values("(1L, 1D, 'a', now())"))
    write(sides[1], values("('1', 1D, 'a', now())"))
    assert found(sides).not_matched == "key column id has different types on the two sides"
    varying = Table("silver.things", "Things", ("taken_at",), THINGS.columns)
    assert "vary from run to run" in found(sides, varying).not_matched


def test_null_in_a_key_matches_null(sides: tuple[Lakehouse, Lakehouse]) -> None:
    pair = Table("silver.pairs", "Pairs", ("a", "b"), (
        Column("a", "INT", "One"), Column("b", "STRING", "Other"), Column("v", "INT", "Value")))
    for side, value in zip(sides, (1, 2), strict=True):
        write(side, values(f"(1, NULL, {value})", "(1, 'x', 5)", columns="a, b, v"), pair)
    table = found(sides, pair)
    assert counts(table) == (0, 0, 2, 1)


def test_a_changed_key_is_reported(sides: tuple[Lakehouse, Lakehouse]) -> None:
    for side, key in zip(sides, (("id",), ("id", "name")), strict=True):
        side.create(Table(THINGS.name, "Things", key, THINGS.columns))
    table = found(sides)
    assert table.key_change == "id to id, name" and table.differs_in == ("schema",)


def test_names_that_need_quotes_or_equal_the_joins_own_work(
        sides: tuple[Lakehouse, Lakehouse]) -> None:
    odd = Table("silver.odd", "Odd", ("in_before",), (
        Column("in_before", "INT", "Key"), Column("before0", "INT", "One"),
        Column("sélect-x", "INT", "Two")))
    for side, value in zip(sides, (1, 2), strict=True):
        side.create(odd)
        side.merge(odd, side.spark.sql(f"SELECT 1 AS in_before, 1 AS before0, {value} AS "
                                       "`sélect-x`"))
    assert equal(found(sides, odd)) == {"in_before": None, "before0": 1, "sélect-x": 0}


def test_the_figures_that_moved_most_are_those_of_common_rows(
        sides: tuple[Lakehouse, Lakehouse]) -> None:
    days = Table("gold.days", "Days", ("day",), (
        Column("day", "DATE", "Day", True), Column("alerts", "BIGINT", "Alerts"),
        Column("share", "DOUBLE", "Share")))
    columns = "day, alerts, share"
    write(sides[0], values("(DATE'2024-01-01', 100L, 0.5D)", "(DATE'2024-01-02', 100L, 0.5D)",
                           "(DATE'2024-01-03', 100L, NULL)", columns=columns), days)
    write(sides[1], values("(DATE'2024-01-01', 90L, 0.5D)", "(DATE'2024-01-02', 101L, 0.9D)",
                           "(DATE'2024-01-03', 100L, 1D)", columns=columns), days)
    _, comparison = compare(days, *(Side.of(side, days) for side in sides))
    assert comparison
    assert largest_moves(comparison) == (
        Moved({"day": "2024-01-02"}, "share", 0.5, 0.9),
        Moved({"day": "2024-01-01"}, "alerts", 100.0, 90.0),
        Moved({"day": "2024-01-02"}, "alerts", 100.0, 101.0))
