"""Creates the JVM's class-data archive, once per machine: `python -m branchline.spark.archive`.

Half of a short run's time is the JVM reading and verifying Spark's 20,000 classes; the archive
(about 190 MB in the user's cache) has them ready. It changes no result.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from branchline.spark.class_path import ARCHIVE, archive_folder, settings
from branchline.spark.jars import delta_jars, spark_jars
from branchline.spark.session import JAVA_OPTIONS, local

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

__all__ = ["main", "make"]

KEPT = 2  # checkouts with two versions of Spark can share a machine
SCRATCH = ".archiving-"
SCRATCH_SECONDS = 3600  # older ones were left by killed processes


def make() -> Path | None:
    """Create the archive for this environment's jars and Java unless it exists.

    Returns its path; None if this Java writes none. Several processes may do so at once: each
    writes its own file, and the last one stays.

    Raises:
        NotInstalled: Java, pyspark, delta-spark or Delta's jars are missing.
        OSError: the cache cannot be written, or the disk is full.
    """
    delta = delta_jars()
    folder = archive_folder(delta, JAVA_OPTIONS)
    archive = folder / ARCHIVE
    if archive.is_file():
        return archive
    _link([*spark_jars(), *delta], folder)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=SCRATCH) as scratch:
        made = _record(Path(scratch), folder, delta)
        if not made.is_file():
            return None
        made.replace(archive)
    _remove_old(folder)
    return archive


def _link(jars: Iterable[Path], folder: Path) -> None:
    """Fill `folder` with the jars, as links if the file system can; all or none."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=SCRATCH) as scratch:
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


def _record(scratch: Path, folder: Path, delta: Sequence[Path]) -> Path:
    """Run typical work of local runs in a JVM that writes the archive when it ends."""
    # The compiler's first stage is enough: compiled code is not in the archive.
    made = scratch / ARCHIVE
    options = f'"-XX:ArchiveClassesAtExit={made}" -XX:TieredStopAtLevel=1'
    spark = local(scratch / "spark.log", settings(folder, delta, f"{options} {JAVA_OPTIONS}"))
    jvm = spark.sparkContext._gateway.proc  # type: ignore[union-attr]
    _exercise(spark, str(scratch))
    spark.stop()
    jvm.stdin.close()
    jvm.wait()
    return made


def _exercise(spark: SparkSession, folder: str) -> None:
    """Write, read, stream, merge, join, aggregate, and call Python, on a thousand rows."""
    def unchanged(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        return batches

    rows = spark.range(1000).selectExpr(
        "id", "string(id % 7) AS kind", "timestamp_seconds(id) AS time", "id / 3 AS amount")
    rows.write.format("delta").partitionBy("kind").save(f"{folder}/table")
    (spark.readStream.format("delta").load(f"{folder}/table").writeStream.format("delta")
     .trigger(availableNow=True).option("checkpointLocation", f"{folder}/checkpoint")
     .start(f"{folder}/copy").awaitTermination())
    copy = spark.read.format("delta").load(f"{folder}/copy")
    copy.createOrReplaceTempView("copy")
    spark.sql(f"MERGE INTO delta.`{folder}/table` t USING copy c ON t.id = c.id + 500 "
              "WHEN MATCHED THEN UPDATE SET amount = 0 WHEN NOT MATCHED THEN INSERT *")
    sums = spark.sql("SELECT kind, count(DISTINCT id) AS n, max(amount) AS most, min(time) AS "
                     "first FROM copy GROUP BY kind HAVING n > 1")
    (copy.join(sums, "kind").repartition("kind").sortWithinPartitions("time")
     .mapInArrow(unchanged, copy.join(sums, "kind").schema).toArrow())


def _remove_old(newest: Path) -> None:
    """Keep the newest archives only; a JVM that has one open keeps it until it ends."""
    def age(folder: Path) -> float:
        return time.time() - folder.stat().st_mtime

    others = sorted(set(newest.parent.glob("classes-*")) - {newest}, key=age)
    abandoned = [scratch for scratch in newest.parent.glob(f"{SCRATCH}*")
                 if age(scratch) > SCRATCH_SECONDS]
    for folder in [*others[KEPT - 1:], *abandoned]:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Create the archive; a failure is not an error: without it, runs only start more slowly."""
    try:
        if make() is None:
            print("no class-data archive: this Java writes none; local runs start more slowly.")
    except OSError as problem:
        print(f"no class-data archive: {problem}; local runs start more slowly.")


if __name__ == "__main__":
    main()
