"""Ids that are there more than once are found by their hashes, and no others."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from branchline.lakehouse.repeats import id_hash, repeated_hashes

pytestmark = pytest.mark.spark
ids = st.lists(st.integers(0, 30).map(str), max_size=40)


def hashes(spark: Any, names: list[str]) -> Any:
    return spark.createDataFrame([(name,) for name in names], "id STRING").select(
        id_hash("id").alias("hash"))


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(new=ids, old=ids)
def test_an_id_is_repeated_if_it_is_new_twice_or_new_and_known(
        spark: Any, new: list[str], old: list[str]) -> None:
    counts = Counter(new)
    repeated = [name for name in counts if counts[name] > 1 or name in old]
    found = repeated_hashes(hashes(spark, new), hashes(spark, old))
    assert sorted(row["hash"] for row in found.collect()) == sorted(
        row["hash"] for row in hashes(spark, repeated).collect())


def test_hashes_of_each_shard_of_more_than_one_worker_are_compared(spark: Any) -> None:
    new = spark.range(0, 200_000, 1, 4).select(id_hash(spark_text("id")).alias("hash"))
    old = spark.range(199_990, 300_000, 1, 3).select(id_hash(spark_text("id")).alias("hash"))
    assert repeated_hashes(new, old).count() == 10
    assert repeated_hashes(new.unionAll(new.limit(5)), old.limit(0)).count() == 5


def spark_text(column: str) -> Any:
    from pyspark.sql import functions as F
    return F.col(column).cast("string")
