"""A move of views that is killed in the middle, or that meets another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from branchline.lakehouse import Lakehouse
from branchline.lakehouse.sets import sets_of
from branchline.lakehouse.views import move_views
from branchline.table_sets import Manifest
from support.processes import kill

pytestmark = pytest.mark.spark

NAMES = ("gold.first", "gold.last")
# argv: the address of Spark Connect, the folder of files. Stops after its first view for a line.
MOVE = """
import sys
from pyspark.sql import SparkSession
from branchline.lakehouse import Lakehouse
from branchline.lakehouse.sets import sets_of
from branchline.lakehouse.views import move_views
class Watched:
    def __init__(self, spark):
        self.spark, self.catalog, self.views = spark, spark.catalog, 0
    def sql(self, query):
        done = self.spark.sql(query)
        self.views += "VIEW " in query and "CREATE" in query
        if self.views == 1:
            print("first view", flush=True)
            input()
            self.views += 1
        return done
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
lakehouse = Lakehouse(Watched(spark), "spark_catalog", "moved", sys.argv[2], "scoring_2")
move_views(lakehouse, sets_of(lakehouse))
"""


@pytest.fixture
def lakehouse(spark: Any, tmp_path: Path) -> Iterator[Lakehouse]:
    """Two filled table sets; readers see the first, and the second is deployed."""
    found = Lakehouse(spark, "spark_catalog", "moved", str(tmp_path), "scoring_2")
    for schema, number in (("moved", 0), ("moved__scoring_1", 1), ("moved__scoring_2", 2)):
        spark.sql(f"CREATE SCHEMA spark_catalog.{schema} LOCATION '{tmp_path}/{schema}'")
        for name in NAMES if number else ():
            spark.sql(f"CREATE TABLE spark_catalog.{schema}.{name.replace('.', '_')} USING DELTA "
                      f"AS SELECT {number} AS number")
    for number in (1, 2):
        sets_of(found).add(Manifest(number, f"scoring_{number}", NAMES, number - 1))
        sets_of(found).mark_ready("scoring_1", "moved")
        move_views(found, sets_of(found))
    sets_of(found).mark_ready("scoring_2", "moved")
    yield found
    for schema in ("moved", "moved__scoring_1", "moved__scoring_2"):
        spark.sql(f"DROP SCHEMA spark_catalog.{schema} CASCADE")


@pytest.fixture
def mover(lakehouse: Lakehouse, connect: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has moved the first of the two views."""
    process = subprocess.Popen(
        [sys.executable, "-c", MOVE, connect, str(lakehouse.files)], start_new_session=True,
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == "first view\n"
    yield process
    if process.poll() is None:
        kill(process)


def seen(lakehouse: Lakehouse) -> list[int]:
    names = (f"spark_catalog.moved.{name.replace('.', '_')}" for name in NAMES)
    return [row[0] for name in names for row in lakehouse.spark.table(name).collect()]


def test_a_move_that_was_killed_between_two_views_is_completed_by_the_next(
        lakehouse: Lakehouse, mover: subprocess.Popen[str]) -> None:
    kill(mover)
    assert seen(lakehouse) == [2, 1]
    move_views(lakehouse, sets_of(lakehouse))
    assert seen(lakehouse) == [2, 2]


def test_of_two_moves_at_once_the_later_deployments_wins_for_all_views(
        lakehouse: Lakehouse, mover: subprocess.Popen[str]) -> None:
    sets_of(lakehouse).add(Manifest(3, "scoring_1", NAMES, 0))
    move_views(lakehouse, sets_of(lakehouse))
    assert seen(lakehouse) == [1, 1]
    mover.communicate("\n", timeout=60)
    assert mover.returncode == 0 and seen(lakehouse) == [1, 1]
