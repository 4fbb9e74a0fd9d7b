"""The Spark session: a tuned local one, a Spark Connect server's, or Databricks'."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from branchline.spark.class_path import jvm_settings
from branchline.spark.jars import delta_jars, java

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["JAVA_OPTIONS", "LOCAL_SETTINGS", "local", "session"]

# The JVM's second compiler, which takes half of a short session, waits for five times the calls.
LATE_OPTIMISING = ("-XX:Tier4InvocationThreshold=25000 -XX:Tier4MinInvocationThreshold=3000 "
                   "-XX:Tier4CompileThreshold=75000 -XX:Tier4BackEdgeThreshold=200000")
# Arrow's documented switches for trusted code such as Spark: no bounds check for each value.
JAVA_OPTIONS = (f"-XX:+UseParallelGC -Xmn2g {LATE_OPTIMISING} "
                "-Darrow.enable_unsafe_memory_access=true "
                "-Darrow.enable_null_check_for_get=false")
LOCAL_SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # Small tables on few cores: what follows is for speed and quiet, and changes no result.
    "spark.sql.shuffle.partitions": str(os.cpu_count() or 2),
    "spark.databricks.delta.snapshotPartitions": "1",
    # Otherwise a VACUUM, of however few files, is 10,000 tasks.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(os.cpu_count() or 2),
    "spark.python.daemon.module": "branchline.spark.python_workers",
    # With any limit, Spark 4.1 adds up the sizes of all columns after each row sent to Python.
    "spark.sql.execution.arrow.maxBytesPerBatch": str(2**31 - 1),
    # So that all cores read a table of one file, and some days are read without the rest.
    "spark.hadoop.parquet.block.size": str(16 * 2**20),
    "spark.hadoop.parquet.dictionary.page.size": str(128 * 2**10),
    "spark.hadoop.parquet.size.statistics.enabled": "false",  # no reader here needs it
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.extraJavaOptions": JAVA_OPTIONS,
    "spark.driver.memory": "4g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.log.level": "ERROR",
}


def session(environment: Mapping[str, str], log: Path) -> SparkSession:
    """The session to run in.

    On Databricks, and where SPARK_REMOTE names a Spark Connect server, it is the existing session;
    elsewhere a local one with Delta Lake, whose JVM writes its own messages to `log`.

    Raises:
        NotInstalled: a local session lacks Java, pyspark, delta-spark or Delta's jars.
    """
    if "DATABRICKS_RUNTIME_VERSION" in environment or "SPARK_REMOTE" in environment:
        from pyspark.sql import SparkSession
        return SparkSession.builder.getOrCreate()
    java()
    return local(log, jvm_settings(delta_jars(), JAVA_OPTIONS))


def local(log: Path, jvm: Mapping[str, str]) -> SparkSession:
    """A local session with the JVM settings `jvm`; the JVM's messages go to `log`."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    from pyspark.sql import SparkSession
    builder = SparkSession.builder.master(f"local[{os.cpu_count() or 2}]").appName("branchline")
    for name, value in {**LOCAL_SETTINGS, **jvm}.items():
        builder = builder.config(name, value)
    with _stderr_into(log):
        return builder.getOrCreate()


@contextmanager
def _stderr_into(log: Path) -> Iterator[None]:
    """Point file descriptor 2 at `log` for a moment: a JVM started in the block keeps it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    kept = os.dup(2)
    with log.open("ab") as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
