from __future__ import annotations

import pytest
from databricks.sdk import WorkspaceClient

from tests.workspace.conftest import Jobs

SPARK = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"


@pytest.mark.spark
def test_a_runs_tables_are_there_for_the_next_and_go_when_dropped(
        client: WorkspaceClient, jobs: Jobs) -> None:
    jobs.said(SPARK + "spark.sql('CREATE SCHEMA spark_catalog.a_branch')\n"
              "spark.range(3).writeTo('spark_catalog.a_branch.numbers').using('delta').create()")
    assert [table.full_name for table in client.tables.list("spark_catalog", "a_branch")] == [
        "spark_catalog.a_branch.numbers"]
    log = jobs.said(SPARK + "spark.sql('INSERT INTO spark_catalog.a_branch.numbers VALUES (7)')\n"
                    "print('sum', spark.sql('SELECT sum(id) FROM spark_catalog.a_branch.numbers')"
                    ".first()[0])\n"
                    "spark.sql('DROP TABLE spark_catalog.a_branch.numbers')")
    assert "sum 10\n" in log
    assert not list(client.tables.list("spark_catalog", "a_branch"))
    client.schemas.delete("spark_catalog.a_branch")
