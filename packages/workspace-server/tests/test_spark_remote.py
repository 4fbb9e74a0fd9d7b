from __future__ import annotations

from pathlib import Path

import pytest

from runs_in_workspace import CLUSTER, Jobs
from workspace_server import Workspace

SCRIPT = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print('connect' in type(spark).__module__, spark.range(3).count())
"""
ENVIRONMENTS = [{"environment_key": "e", "spec": {"environment_version": "4"}}]


@pytest.mark.spark
def test_serverless_runs_share_the_spark_that_was_given(connect: str, tmp_path: Path) -> None:
    with Workspace.start(tmp_path, phase_seconds=0, spark_remote=connect) as workspace:
        log = Jobs(workspace.client()).said(SCRIPT, new_cluster=None, environment_key="e",
                                            run_environments=ENVIRONMENTS)
    assert log.splitlines()[-1] == "True 3"


def test_a_run_on_a_cluster_has_a_spark_of_its_own(tmp_path: Path) -> None:
    asks = "import os; print(os.environ.get('SPARK_REMOTE'))"
    with Workspace.start(tmp_path, phase_seconds=0, spark_remote="sc://127.0.0.1:1") as workspace:
        jobs = Jobs(workspace.client())
        assert jobs.said(asks, new_cluster=CLUSTER) == "None\n"
        assert jobs.said(asks, new_cluster=None, environment_key="e",
                         run_environments=ENVIRONMENTS) == "sc://127.0.0.1:1\n"
