"""SQL conditions from a user: Spark's message on an invalid one becomes one line."""

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
    """The rows that meet the SQL condition; all rows if it is empty.

    Raises:
        BadInput: it is not a condition on the rows' columns.
    """
    if not where.strip():
        return rows
    with told_in_one_line(where):
        found = rows.where(where)
        found.schema  # makes Spark check it now: Connect would check it later
        return found


@contextmanager
def told_in_one_line(where: str) -> Iterator[None]:
    """Turn an error of the condition in the block, where rows are read, into BadInput."""
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
