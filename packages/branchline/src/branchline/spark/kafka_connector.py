"""The jars of Spark's Kafka source for a session on this machine."""

from __future__ import annotations

from pathlib import Path

from branchline.spark.jars import SHIPPED, fetched, spark_jars

__all__ = ["connector_jars"]

# 4.1.1 works with every Spark 4.1; of 4.1.4, Maven Central has not all parts.
CONNECTOR = ("org.apache.spark", "spark-sql-kafka-0-10_2.13", "4.1.1")
ALSO_SHIPPED = ("org.lz4", "at.yawk.lz4", "org.xerial.snappy")


def connector_jars() -> list[Path]:
    """The connector's jars that pyspark does not ship, downloaded on first use (13 MB).

    Raises:
        NotInstalled: Java is missing, or the download failed.
    """
    there = {_artifact(jar) for jar in spark_jars()}
    found = fetched("Spark's Kafka source", [CONNECTOR], (*SHIPPED, *ALSO_SHIPPED))
    return [jar for jar in found if _artifact(jar) not in there]


def _artifact(jar: Path) -> str:
    return jar.name.rpartition("-")[0]
