from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from branchline.errors import NotInstalled
from branchline.spark.session import LOCAL_SETTINGS, _stderr_into, session


def test_without_java_no_session_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match="Java: not found"):
        session({}, tmp_path / "spark.log")
    assert list(tmp_path.iterdir()) == []


def test_jvm_output_goes_to_the_log_and_later_output_to_stderr(
        tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with _stderr_into(tmp_path / "new" / "spark.log"):
        os.write(2, b"WARN: of the JVM\n")
    os.write(2, b"of ours\n")
    assert (tmp_path / "new" / "spark.log").read_text() == "WARN: of the JVM\n"
    assert capfd.readouterr().err == "of ours\n"


def test_a_second_run_adds_to_the_log(tmp_path: Path) -> None:
    for word in (b"one ", b"two"):
        with _stderr_into(tmp_path / "spark.log"):
            os.write(2, word)
    assert (tmp_path / "spark.log").read_text() == "one two"


@pytest.mark.spark
def test_a_local_session_has_the_settings_and_this_environment_s_python(spark: Any) -> None:
    conf = spark.sparkContext.getConf()
    for name, value in LOCAL_SETTINGS.items():  # Spark adds options of its own to Java's
        assert str(conf.get(name)).endswith(value), name
    assert os.environ["PYSPARK_PYTHON"] == sys.executable


@pytest.mark.spark
def test_python_workers_search_no_zip_files_for_modules(spark: Any) -> None:
    def searched(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            pass
        yield pa.RecordBatch.from_pydict({"entry": sys.path})

    found = [row["entry"] for row in spark.range(1).mapInArrow(searched, "entry STRING").collect()]
    assert any(path.endswith("site-packages") for path in found)
    assert not [path for path in found if path.endswith((".zip", ".jar"))]


@pytest.mark.spark
@pytest.mark.parametrize("variable", ["DATABRICKS_RUNTIME_VERSION", "SPARK_REMOTE"])
def test_where_a_session_is_given_it_is_taken_and_no_jvm_is_started(
        spark: Any, tmp_path: Path, variable: str) -> None:
    assert session({variable: "x"}, tmp_path / "spark.log") is spark
    assert not (tmp_path / "spark.log").exists()
