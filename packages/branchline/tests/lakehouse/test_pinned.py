from __future__ import annotations

from typing import Any

import pytest

from branchline.errors import BadInput
from branchline.lakehouse import Column, Lakehouse, Table
from branchline.lakehouse.pinned import PinnedLakehouse

pytestmark = pytest.mark.spark
THINGS = Table("silver.things", "Things", ("id",), (Column("id", "BIGINT", "Its number", True),))
OTHERS = Table("gold.others", "Others", ("id",), (Column("id", "BIGINT", "Its number", True),))


def held(lakehouse: Lakehouse, table: Table) -> list[int]:
    return sorted(row["id"] for row in lakehouse.read(table).collect())


def test_a_pinned_table_is_read_from_its_schema_as_of_its_version_and_never_written(
        lakehouse: Lakehouse) -> None:
    numbers = lakehouse.spark.range(3)
    lakehouse.overwrite(THINGS, numbers, "true")
    pin = f"silver.things={lakehouse.snapshot(THINGS)}"
    lakehouse.merge(THINGS, lakehouse.spark.range(5))
    there = PinnedLakehouse(lakehouse.spark, lakehouse.root, "a_gate", None, (pin,))
    assert there.exists(THINGS) and held(there, THINGS) == [0, 1, 2]
    assert f"silver.things={there.snapshot(THINGS)}" == pin
    assert there.version(THINGS) == lakehouse.version(THINGS) - 1
    with pytest.raises(BadInput, match="silver.things: is pinned to a_branch@1 by the parameter"):
        there.merge(THINGS, numbers)
    assert not there.exists(OTHERS)
    there.overwrite(OTHERS, numbers, "true")
    assert held(there, OTHERS) == [0, 1, 2] and not lakehouse.exists(OTHERS)


@pytest.mark.parametrize("pin", ["silver.things", "silver.things=main", "=main@1",
                                 "silver.things=main@-1", "silver.things=a/b@1"])
def test_a_pin_of_another_form_is_bad_input(spark: Any, pin: str) -> None:
    with pytest.raises(BadInput, match="expected TABLE=SCHEMA@VERSION, such as silver"):
        PinnedLakehouse(spark, "/nowhere", "a_gate", None, (pin,))
