from __future__ import annotations

from pathlib import Path

import pytest

from branchline import Column, Lakehouse, Table
from branchline.lakehouse.appends import append_once
from branchline.lakehouse.commits import Commit, read_commit

THINGS = Table("silver.things", "Things", ("id",), (Column("id", "BIGINT", "Number", True),))


@pytest.mark.spark
def test_a_folder_s_log_says_what_delta_says_of_the_last_commits(lakehouse: Lakehouse) -> None:
    lakehouse.create(THINGS)
    append_once(lakehouse, THINGS, lakehouse.spark.range(3), "writer", 1, about='a "quoted" word')
    lakehouse.delete(THINGS, lakehouse.spark.range(1))
    told = lakehouse.spark.sql(f"DESCRIBE HISTORY {lakehouse.reference(THINGS)} LIMIT 2")
    assert lakehouse.history(THINGS, 2) == [
        Commit(row["version"], row["userMetadata"], row["operationMetrics"])
        for row in told.collect()]
    assert [each.version for each in lakehouse.history(THINGS, 50)] == [2, 1, 0]
    assert lakehouse.version(THINGS) == 2


def test_a_commit_that_says_nothing_of_itself_has_a_version(tmp_path: Path) -> None:
    file = tmp_path / f"{7:020}.json"
    file.write_text('{"add":{"path":"a"}}\n')
    assert read_commit(file) == Commit(7)
