from __future__ import annotations

import io

from databricks.sdk import WorkspaceClient

from tests.workspace.conftest import VOLUME, Jobs

SPARK = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"


STREAM = """
files = spark.readStream.format('cloudFiles').option('cloudFiles.format', 'binaryFile')
rows = files.load('/Volumes/dev/default/tests/landed').select('content')
query = rows.writeStream.format('delta').trigger(availableNow=True)
query = query.option('checkpointLocation', '/Volumes/dev/default/tests/checkpoint')
query.toTable('spark_catalog.default.landed').awaitTermination()
print('rows', spark.table('spark_catalog.default.landed').count())
"""


def test_auto_loaders_stand_in_takes_a_file_once(client: WorkspaceClient, jobs: Jobs) -> None:
    for number in (1, 2):
        client.files.upload(f"{VOLUME}/landed/{number}.csv", io.BytesIO(b"1,2"), overwrite=True)
        assert f"rows {number}\n" in jobs.said(SPARK + STREAM)


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
