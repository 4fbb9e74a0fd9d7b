"""Makes the JVM's class-data archive, once a machine: `python -m branchline.spark.archive`.

Half of a short run's time is the JVM reading and verifying Spark's 20,000 classes; the archive
(about 190 MB in the user's cache) has them ready. It changes no result.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from branchline.spark.class_path import ARCHIVE, archive_folder, settings
from branchline.spark.jars import delta_jars, spark_jars
from branchline.spark.session import JAVA_OPTIONS, local

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

__all__ = ["make"]

KEPT = 2  # archives: checkouts with two versions of Spark can share a machine


def make() -> Path:
    """Make the archive for this environment's jars and Java unless it is there; its path.

    Several processes may do so at once: each writes its own file, the last one stays.

    Raises:
        NotInstalled: Java, pyspark, delta-spark or Delta's jars are missing.
    """
    delta = delta_jars()
    folder = archive_folder(delta, JAVA_OPTIONS)
    archive = folder / ARCHIVE
    if not archive.is_file():
        _link([*spark_jars(), *delta], folder)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".archiving-") as scratch:
            _record(Path(scratch), folder, delta)
            (Path(scratch) / ARCHIVE).replace(archive)
        _remove_old(folder)
    return archive


def _link(jars: Iterable[Path], folder: Path) -> None:
    """Fill `folder` with the jars, as links where the file system can; whole or not at all."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".archiving-") as scratch:
        whole = Path(scratch) / "jars"
        whole.mkdir()
        for jar in jars:
            try:
                os.link(jar, whole / jar.name)
            except OSError:  # another file system
                shutil.copy2(jar, whole / jar.name)
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():  # another process was first: its links are as good
                raise


def _record(scratch: Path, folder: Path, delta: Sequence[Path]) -> None:
    """Run what local runs have in common in a JVM that writes the archive when it ends."""
    # The compiler's first stage is quick, and what is compiled is no part of the archive.
    options = f'"-XX:ArchiveClassesAtExit={scratch / ARCHIVE}" -XX:TieredStopAtLevel=1'
    spark = local(scratch / "spark.log", settings(folder, delta, f"{options} {JAVA_OPTIONS}"))
    jvm = spark.sparkContext._gateway.proc  # type: ignore[attr-defined]
    _exercise(spark, str(scratch))
    spark.stop()
    jvm.stdin.close()
    jvm.wait()


def _exercise(spark: SparkSession, place: str) -> None:
    """Write, read, stream, merge, join, aggregate, and call Python, on a thousand rows."""
    def unchanged(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        return batches

    rows = spark.range(1000).selectExpr(
        "id", "string(id % 7) AS kind", "timestamp_seconds(id) AS time", "id / 3 AS amount")
    rows.write.format("delta").partitionBy("kind").save(f"{place}/table")
    (spark.readStream.format("delta").load(f"{place}/table").writeStream.format("delta")
     .trigger(availableNow=True).option("checkpointLocation", f"{place}/checkpoint")
     .start(f"{place}/copy").awaitTermination())
    copy = spark.read.format("delta").load(f"{place}/copy")
    copy.createOrReplaceTempView("copy")
    spark.sql(f"MERGE INTO delta.`{place}/table` t USING copy c ON t.id = c.id + 500 "
              "WHEN MATCHED THEN UPDATE SET amount = 0 WHEN NOT MATCHED THEN INSERT *")
    sums = spark.sql("SELECT kind, count(DISTINCT id) AS n, max(amount) AS most, min(time) AS "
                     "first FROM copy GROUP BY kind HAVING n > 1")
    (copy.join(sums, "kind").repartition("kind").sortWithinPartitions("time")
     .mapInArrow(unchanged, copy.join(sums, "kind").schema).toArrow())


def _remove_old(newest: Path) -> None:
    """Keep the newest archives only; a JVM that has one open keeps it until it ends."""
    found = sorted(newest.parent.glob("classes-*"), key=lambda folder: folder.stat().st_mtime)
    for folder in found[:-KEPT]:
        if folder != newest:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    make()
