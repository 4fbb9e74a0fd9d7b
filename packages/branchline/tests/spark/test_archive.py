from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from branchline.spark.archive import KEPT, SCRATCH, SCRATCH_SECONDS, _link, _remove_old, make
from branchline.spark.class_path import ARCHIVE

RUN = """
import sys
from pathlib import Path
from branchline.spark.class_path import jvm_settings
from branchline.spark.jars import delta_jars
from branchline.spark.session import JAVA_OPTIONS, local
folder = Path(sys.argv[1])
jvm = jvm_settings(delta_jars(), JAVA_OPTIONS)
jvm["spark.driver.extraJavaOptions"] += f" -Xlog:class+load:file={folder}/classes.log"
spark = local(folder / "spark.log", jvm)
rows = spark.range(1000).selectExpr("id", "id % 7 AS kind", "sqrt(id) AS root")
rows.write.format("delta").save(f"{folder}/table")
read = spark.read.format("delta").load(f"{folder}/table")
print(read.groupBy("kind").agg({"root": "sum", "id": "max"}).sort("kind").collect())
print(spark.sql(f"DESCRIBE HISTORY delta.`{folder}/table`").select("operation").collect())
print(read.mapInArrow(lambda batches: batches, read.schema).count())
"""
SHARED = "org.apache.spark.sql.delta.DeltaLog source: shared objects file (top)"


def run(folder: Path, cache: Path | None) -> str:
    folder.mkdir()
    given = {**os.environ, "XDG_CACHE_HOME": str(cache)} if cache else None
    done = subprocess.run([sys.executable, "-c", RUN, str(folder)], env=given, check=True,
                          capture_output=True, text=True)
    return done.stdout


@pytest.mark.spark
def test_results_are_the_same_with_and_without_the_archive(tmp_path: Path) -> None:
    made = make()
    assert made
    jars = made.parent.parent.glob("delta-spark*")
    for folder in jars:
        shutil.copytree(folder, tmp_path / "cache" / "branchline" / folder.name)
    given = run(tmp_path / "with", None), run(tmp_path / "without", tmp_path / "cache")
    assert given[0] == given[1]
    assert len(given[0].splitlines()) == 3
    assert SHARED in (tmp_path / "with" / "classes.log").read_text()
    assert SHARED not in (tmp_path / "without" / "classes.log").read_text()


def test_jars_are_linked_into_the_archive_s_folder_once(tmp_path: Path) -> None:
    (tmp_path / "a.jar").write_text("a")
    for jars in ([tmp_path / "a.jar"], [tmp_path / "b.jar"]):  # the second time none is looked at
        _link(jars, tmp_path / "cache" / "classes-1")
    assert os.path.samefile(tmp_path / "a.jar", tmp_path / "cache" / "classes-1" / "a.jar")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["classes-1"]


def test_jars_that_cannot_all_be_linked_leave_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jar").write_text("a")
    with pytest.raises(FileNotFoundError):
        _link([tmp_path / "a.jar", tmp_path / "gone.jar"], tmp_path / "cache" / "classes-1")
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_newest_archives_stay_and_other_files_of_the_cache_too(tmp_path: Path) -> None:
    ages = {"classes-new": 0, "classes-old": 10, "classes-older": 20, "classes-oldest": 30,
            f"{SCRATCH}now": 5, f"{SCRATCH}killed": SCRATCH_SECONDS + 60, "delta-spark": 9999}
    now = os.stat(tmp_path).st_mtime
    for name, age in ages.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / ARCHIVE).touch()
        os.utime(tmp_path / name, (now - age, now - age))
    _remove_old(tmp_path / "classes-new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["classes-new", "classes-old", f"{SCRATCH}now", "delta-spark"])
    assert KEPT == 2
