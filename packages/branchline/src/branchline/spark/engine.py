"""The warm engine's process: `python -m branchline.spark.engine CHECKOUT IDLE_MINUTES`.

A Spark Connect server. Each run's process, and Spark's Python workers for it, are new ones: only
the JVM, which has none of the steps' code, is kept.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from branchline.errors import BranchlineError
from branchline.spark.class_path import jvm_settings
from branchline.spark.engine_record import (ALIVE, TOKEN, USED, Engine, folder_of, identity,
                                            is_served_by, locked, remove, write)
from branchline.spark.jars import delta_jars
from branchline.spark.session import JAVA_OPTIONS, local

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["main"]

LOOK_SECONDS = 2.0
CONNECT = {"spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
           "spark.connect.grpc.binding.address": "127.0.0.1",
           "spark.connect.grpc.binding.port": "0",
           # A run may train for hours without a call.
           "spark.connect.session.manager.defaultSessionTimeout": "7d"}


def main(root: Path, idle_minutes: float) -> None:
    """Serve the checkout's runs until SIGTERM, or until none came for so long."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
    folder = folder_of(root)
    with locked(folder / ALIVE, 1.0) as alone:
        if not alone:
            sys.exit("another engine of this checkout is running")
        belongs_to = identity(root, os.environ)
        os.environ[TOKEN] = secrets.token_urlsafe(32)
        spark = local(folder / "spark.log", {
            **jvm_settings(delta_jars(), JAVA_OPTIONS), **CONNECT,
            "spark.sql.warehouse.dir": str(folder / "warehouse")})
        try:
            write(folder, Engine(os.getpid(), _service(spark).localPort(), os.environ[TOKEN],
                                 belongs_to))
            with suppress(FileNotFoundError):  # the folder went in this moment
                _serve(spark, folder, idle_minutes * 60)
        finally:
            if is_served_by(folder, os.getpid()):
                remove(folder)
            spark.stop()


def _serve(spark: SparkSession, folder: Path, idle_seconds: float) -> None:
    """Wait until no run has used the engine for so long; then none can begin to.

    Ends, too, when the record is gone: with its checkout, or replaced by that of another engine.
    """
    used = time.monotonic()
    while is_served_by(folder, os.getpid()):
        with locked(folder / USED) as free:
            if free:
                # What a killed run left at work must not meet the next run.
                _service(spark).sessionManager().invalidateAllSessions()
                if time.monotonic() - used > idle_seconds:
                    return remove(folder)
            else:
                used = time.monotonic()
        time.sleep(LOOK_SECONDS)


def _service(spark: SparkSession) -> Any:
    """The server in the session's JVM, a Scala object."""
    package = spark._jvm.org.apache.spark.sql.connect.service  # type: ignore[union-attr]
    return getattr(getattr(package, "SparkConnectService$"), "MODULE$")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), float(sys.argv[2]))
    except BranchlineError as problem:
        sys.exit(str(problem))
