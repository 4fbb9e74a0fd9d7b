"""The spark-defaults.conf that gives a run's script the session a cluster would: Delta, quiet."""

from __future__ import annotations

import os
from pathlib import Path

from branchline.spark.class_path import jvm_settings
from branchline.spark.jars import jars_of
from branchline.spark.session import JAVA_OPTIONS, LOCAL_SETTINGS
from workspace_server.environments import CURRENT, Base

QUIET = "rootLogger.level = error\nrootLogger.appenderRef.stderr.ref = stderr\n" \
        "appender.stderr.type = Console\nappender.stderr.name = stderr\n" \
        "appender.stderr.target = SYSTEM_ERR\nappender.stderr.layout.type = PatternLayout\n" \
        "appender.stderr.layout.pattern = %p %c{1}: %m%n\n"


def write_settings(folder: Path, base: Base, warehouse: Path, more: dict[str, str]) -> None:
    """Fill a SPARK_CONF_DIR; `more` is the request's spark_conf, and wins.

    Raises:
        NotInstalled: Delta's jars for this Spark are missing and cannot be downloaded.
    """
    folder.mkdir(parents=True)
    warehouse.mkdir(parents=True, exist_ok=True)
    settings = {**LOCAL_SETTINGS, "spark.master": f"local[{os.cpu_count() or 2}]",
                **_jvm(base),
                "spark.sql.warehouse.dir": str(warehouse),
                "spark.sql.session.timeZone": "Etc/UTC", **_of_cluster(more)}
    # The module is in a wheel that a run may not have.
    settings.pop("spark.python.daemon.module")
    (folder / "spark-defaults.conf").write_text(
        "".join(f"{name} {value}\n" for name, value in settings.items()))
    (folder / "log4j2.properties").write_text(QUIET)


def _jvm(base: Base) -> dict[str, str]:
    """Delta's jars; for this process's own Spark, also with this machine's archive."""
    delta = jars_of(base.spark, base.delta)
    if base.name == CURRENT:
        return jvm_settings(delta, JAVA_OPTIONS)
    return {"spark.jars": ",".join(map(str, delta))}


def _of_cluster(given: dict[str, str]) -> dict[str, str]:
    """Without settings that only Databricks' Spark knows, and without a master, which is ours."""
    return {name: value for name, value in given.items()
            if not name.startswith("spark.databricks.") and name != "spark.master"}
