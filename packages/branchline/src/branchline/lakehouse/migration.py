"""Migrates a table from one format to the next, once, in one Delta transaction."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from branchline.errors import BadInput
from branchline.lakehouse.sql import quoted
from branchline.lakehouse.state import FORMAT, State, differences, properties, state_of
from branchline.lakehouse.table import Column, Migration, Table

if TYPE_CHECKING:
    from pyspark.sql import Column as Expression, DataFrame, SparkSession

__all__ = ["migrate"]


def migrate(spark: SparkSession, table: Table, reference: str, state: State) -> State:
    """Bring a table to the declared format, a transaction for each migration; its state then.

    Delta keeps the number of the last migration with the rows (txnAppId, txnVersion), so if two
    sessions migrate at once, one does it and the other finds it done.

    Raises:
        BadInput: a migration is missing, or the migrations return something else than declared.
    """
    pending = _pending(table, state.format)
    result = reduce(lambda rows, each: each.function(rows), pending, spark.table(reference))
    if found := differences(spark, table, State(table.format, None, result.schema)):
        raise BadInput(f"table {table.name}: the migration to format {table.format} returns other "
                       f"columns than declared: {'; '.join(found)}. Correct its function.")
    for each in pending:
        rows = each.function(spark.table(reference))
        _replace(spark, table, reference, rows, each.to)
    return state_of(spark, table, reference)


def _pending(table: Table, found: int) -> list[Migration]:
    known = {each.to: each for each in table.migrations}
    wanted = range(found + 1, table.format + 1)
    if missing := [str(to) for to in wanted if to not in known]:
        raise BadInput(f"table {table.name}: found format {found}, expected {table.format}, and "
                       f"no migration to format {', '.join(missing)}. Add it to the table's "
                       "migrations.")
    return [known[to] for to in wanted]


def _replace(spark: SparkSession, table: Table, reference: str, rows: DataFrame, to: int) -> None:
    """Replace rows, columns and properties in one commit; nothing if another session did it."""
    told = {FORMAT: str(to)}
    if to == table.format:
        rows = rows.select(*(_as_declared(rows, table, column) for column in table.columns))
        told = properties(table)
    writer = rows.writeTo(reference).using("delta").tableProperty("comment", table.meaning)
    for name, value in told.items():
        writer = writer.tableProperty(name, value)
    try:
        writer.option("txnAppId", FORMAT).option("txnVersion", str(to)).createOrReplace()
    except Exception as failure:  # a failed job: py4j's error or, on Connect, PySpark's
        if state_of(spark, table, reference).format < to:
            raise _nulls(table, failure) or failure from None


def _as_declared(rows: DataFrame, table: Table, column: Column) -> Expression:
    """The column with its comment; a NULL in a required one fails the transaction."""
    from pyspark.sql import functions as F
    value = (F.col(quoted(column.name)) if column.name in rows.columns
             else F.lit(None).cast(column.type))
    if column.required:
        value = F.coalesce(value, F.raise_error(_null_in(table, column)).cast(column.type))
    return value.alias(column.name, metadata={"comment": column.meaning})


def _null_in(table: Table, column: Column) -> str:
    return (f"table {table.name}: the migration to format {table.format} leaves NULL in column "
            f"{column.name}, expected {column.type} NOT NULL. Correct its function.")


def _nulls(table: Table, failure: Exception) -> BadInput | None:
    said = str(failure)
    texts = [_null_in(table, column) for column in table.columns if column.required]
    return next((BadInput(text) for text in texts if text in said), None)
