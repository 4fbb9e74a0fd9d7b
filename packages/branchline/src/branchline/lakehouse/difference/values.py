"""When two values are equal: NULL and NULL, NaN and NaN, floats within a tolerance."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column
    from pyspark.sql.types import DataType

__all__ = ["equal", "same_key"]

UNORDERED = ("map<", "variant")  # no `=` in Spark


def equal(before: Column, after: Column, one: DataType, other: DataType,
          tolerance: float) -> Column:
    """Whether the values are equal, never NULL; values of different types are compared as text."""
    from pyspark.sql import types as T
    unordered = any(word in one.simpleString() for word in UNORDERED)
    numbers = isinstance(one, T.NumericType) and isinstance(other, T.NumericType)
    if unordered or (one != other and not numbers):
        return before.cast("string").eqNullSafe(after.cast("string"))
    same = before.eqNullSafe(after)
    floats = (T.FloatType, T.DoubleType)
    if not tolerance or not (isinstance(one, floats) or isinstance(other, floats)):
        return same
    return same | _near(before.cast("double"), after.cast("double"), tolerance)


def _near(before: Column, after: Column, tolerance: float) -> Column:
    from pyspark.sql import functions as F
    distance, size = F.abs(before - after), F.greatest(F.abs(before), F.abs(after))
    # Spark treats NaN as larger than infinity, and both as equal to themselves.
    finite = distance < F.lit(float("inf"))
    return F.coalesce(finite & (distance <= size * tolerance), F.lit(False))


def same_key(before: Column, after: Column, nullable: bool) -> Column:
    """The join's condition on a key column; NULL matches NULL."""
    return before.eqNullSafe(after) if nullable else before == after
