"""SQL conditions that a person gives: what Spark says of a bad one becomes one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from branchline.errors import BadInput

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["chosen", "told_in_one_line"]

LONGEST = 300


def chosen(rows: DataFrame, where: str) -> DataFrame:
    """The rows that meet the SQL condition; all for an empty one.

    Raises:
        BadInput: it is no condition on the rows' columns.
    """
    if not where.strip():
        return rows
    with told_in_one_line(where):
        found = rows.where(where)
        found.schema  # asks Spark, which on Connect looks at nothing before
        return found


@contextmanager
def told_in_one_line(where: str) -> Iterator[None]:
    """In the block, where rows are read: what is wrong with the condition is BadInput."""
    from pyspark import errors
    try:
        yield
    except (errors.AnalysisException, errors.ArithmeticException, errors.DateTimeException,
            errors.IllegalArgumentException, errors.NumberFormatException,
            errors.SparkRuntimeException) as problem:
        if not where.strip():
            raise
        line = next((line.strip() for line in str(problem).splitlines() if line.strip()), "")
        raise BadInput(f"parameter where is {where!r}; expected an SQL condition on the table's "
                       f"columns, such as \"source_file LIKE '%x.csv'\". Spark says: "
                       f"{line[:LONGEST]}") from None
