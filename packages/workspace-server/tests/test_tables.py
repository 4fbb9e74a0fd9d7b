from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from databricks.sdk import WorkspaceClient

from runs_in_workspace import VOLUME, Jobs

SPARK = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"
CREATE = """
spark.sql('CREATE SCHEMA spark_catalog.a_branch')
spark.range(3).writeTo('spark_catalog.a_branch.numbers').using('delta').create()
spark.sql('CREATE VIEW spark_catalog.a_branch.shown AS '
          'SELECT * FROM spark_catalog.a_branch.numbers')
"""
INSERT_AND_DROP = """
spark.sql('INSERT INTO spark_catalog.a_branch.numbers VALUES (7)')
print('sum', spark.sql('SELECT sum(id) FROM spark_catalog.a_branch.numbers').first()[0])
print('shown', spark.table('spark_catalog.a_branch.shown').count())
spark.sql('DROP VIEW IF EXISTS `spark_catalog`.`a_branch`.`shown`')
spark.sql('DROP TABLE spark_catalog.a_branch.numbers')
"""
STREAM = """
files = spark.readStream.format('cloudFiles').option('cloudFiles.format', 'binaryFile')
rows = files.load('/Volumes/dev/default/tests/landed').select('content')
query = rows.writeStream.format('delta').trigger(availableNow=True)
query = query.option('checkpointLocation', '/Volumes/dev/default/tests/checkpoint')
query.toTable('spark_catalog.default.landed').awaitTermination()
print('rows', spark.table('spark_catalog.default.landed').count())
"""


@dataclass(frozen=True)
class TwoRuns:
    """What each printed, and which tables there were after it; before each a file was landed."""

    said: tuple[str, str]
    tables: tuple[list[str | None], list[str | None]]


@pytest.fixture(scope="module")
def runs(client: WorkspaceClient) -> TwoRuns:
    said, tables = [], []
    for number, script in enumerate((CREATE, INSERT_AND_DROP)):
        client.files.upload(f"{VOLUME}/landed/{number}.csv", io.BytesIO(b"1,2"), overwrite=True)
        said.append(Jobs(client).said(SPARK + script + STREAM))
        found = client.tables.list("spark_catalog", "a_branch")
        tables.append([table.full_name for table in found])
    client.schemas.delete("spark_catalog.a_branch")
    return TwoRuns((said[0], said[1]), (tables[0], tables[1]))


def test_auto_loaders_stand_in_takes_a_file_once(runs: TwoRuns) -> None:
    assert "rows 1\n" in runs.said[0] and "rows 2\n" in runs.said[1]


def test_a_runs_tables_are_there_for_the_next_and_go_when_dropped(runs: TwoRuns) -> None:
    assert runs.tables[0] == ["spark_catalog.a_branch.numbers", "spark_catalog.a_branch.shown"]
    assert "sum 10\n" in runs.said[1]
    assert runs.tables[1] == []


def test_a_runs_views_are_there_for_the_next(runs: TwoRuns) -> None:
    assert "shown 4\n" in runs.said[1]
