"""Tables change with their declaration: new columns are added, other changes are migrated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from branchline.errors import BadInput
from branchline.lakehouse.migration import migrate
from branchline.lakehouse.sql import assignments, defined, quoted
from branchline.lakehouse.state import REQUIRED, State, differences, properties, state_of
from branchline.lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.errors import PySparkException
    from pyspark.sql import DataFrame, SparkSession

    from branchline.lakehouse.catalog import Catalog
    from branchline.lakehouse.folder import Folder

__all__ = ["aligned", "demand_same_format", "update"]


def update(spark: SparkSession, storage: Folder | Catalog, table: Table, write: bool) -> None:
    """Bring an existing table to its declaration; reading does not need the new columns.

    Raises:
        BadInput: newer code wrote the table, or it differs and there is no migration.
        TablesBusy: it has to be migrated, and another process is writing.
    """
    reference = storage.reference(table)
    state = state_of(spark, table, reference)
    if state.format > table.format:
        raise BadInput(f"table {table.name}: found format {state.format}, expected {table.format} "
                       "or older; newer code wrote it. Upgrade to that code and run again.")
    if migrated := state.format < table.format:
        with storage.writing():
            state = migrate(spark, table, reference, state)
    if found := differences(spark, table, state):
        raise BadInput(f"table {table.name}: {'; '.join(found)}. Declare format={state.format + 1} "
                       "and add a Migration to it, or undo the change.")
    if write or migrated:
        _extend(spark, table, reference, state)


def demand_same_format(spark: SparkSession, table: Table, rows: DataFrame, version: int) -> None:
    """Check that rows of an earlier version of the table fit the declaration of now.

    Raises:
        BadInput: they are from before a migration.
    """
    if found := differences(spark, table, State(table.format, None, rows.schema)):
        raise BadInput(f"table {table.name}: version {version} is from before a migration: "
                       f"{'; '.join(found)}. Read a later version.")


def aligned(rows: DataFrame, table: Table) -> DataFrame:
    """The declared columns in their order; one that the table does not have yet is NULL."""
    from pyspark.sql import functions as F
    present = rows.columns
    if present == table.column_names:
        return rows
    return rows.select(*(F.col(quoted(column.name)) if column.name in present
                         else F.lit(None).cast(column.type).alias(column.name)
                         for column in table.columns))


def _extend(spark: SparkSession, table: Table, reference: str, state: State) -> None:
    from pyspark.errors import PySparkException
    for statement in _statements(table, reference, state):
        try:
            spark.sql(statement)
        except PySparkException as failure:
            now = state_of(spark, table, reference)
            if statement in _statements(table, reference, now):  # else another session did it
                raise _refused(table, failure) or failure from None


def _statements(table: Table, reference: str, state: State) -> list[str]:
    """The missing changes as ALTER TABLE statements; none of them rewrites rows."""
    actions = [f"ADD COLUMNS ({defined(column)})" for column in table.columns
               if column.name not in state.types]
    required = {column.name for column in table.columns if column.required}
    actions += [f"ALTER COLUMN {quoted(name)} DROP NOT NULL" for name in state.not_null
                if name not in required]
    constrained = sorted(required - set(state.not_null))
    if constrained != sorted(state.constrained):
        actions += _constraint(constrained, bool(state.constrained))
    if state.key is None:
        actions.append(f"SET TBLPROPERTIES ({assignments(properties(table))})")
    return [f"ALTER TABLE {reference} {action}" for action in actions]


def _constraint(columns: list[str], replace: bool) -> list[str]:
    condition = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in columns)
    return [*([f"DROP CONSTRAINT {REQUIRED}"] if replace else []),
            *([f"ADD CONSTRAINT {REQUIRED} CHECK ({condition})"] if columns else [])]


def _refused(table: Table, failure: PySparkException) -> BadInput | None:
    if "DELTA_NEW_CHECK_CONSTRAINT_VIOLATION" not in str(failure):
        return None
    required = ", ".join(column.name for column in table.columns if column.required)
    return BadInput(f"table {table.name}: found rows with NULL in a required column, expected "
                    f"none in {required}. Declare the next format and add a Migration that fills "
                    "them, or make the column optional.")
