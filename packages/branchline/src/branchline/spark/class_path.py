"""The local JVM's class path and, where this machine has one, the class-data archive for it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from branchline.spark.jars import cache, java, spark_jars

__all__ = ["ARCHIVE", "archive_folder", "jvm_settings", "settings"]

ARCHIVE = "classes.jsa"
# The JVM's own messages, such as that an archive does not fit, belong in Spark's log.
QUIET = "-Xlog:disable -Xlog:all=warning:stderr -XX:+DisplayVMOutputToStderr"


def archive_folder(delta: Sequence[Path], options: str) -> Path:
    """The path of the archive for these jars, this Java and its options, existing or not.

    Raises:
        NotInstalled: there is no Java.
    """
    program = java().resolve()
    release = program.parent.parent / "release"
    parts = [options, str(program), release.read_text() if release.is_file() else "",
             *sorted(f"{jar.name} {jar.stat().st_size}" for jar in (*spark_jars(), *delta))]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return cache() / f"classes-{key}"


def jvm_settings(delta: Sequence[Path], options: str) -> dict[str, str]:
    """Spark's settings that put Delta's jars on the class path, with an archive if there is one.

    The archive fits one class path only, whatever environment pyspark is in: the jars are found
    in the archive's own folder first. The JVM ignores an archive that does not fit.

    Raises:
        NotInstalled: there is no Java.
    """
    folder = archive_folder(delta, options)
    if (folder / ARCHIVE).is_file():
        return settings(folder, delta, f'"-XX:SharedArchiveFile={folder / ARCHIVE}" {options}')
    return settings(None, delta, options)


def settings(folder: Path | None, delta: Sequence[Path], options: str) -> dict[str, str]:
    """The two settings for these options, with the jars of `folder` before all others."""
    first = [f"{folder}/*"] if folder else []
    return {"spark.driver.extraClassPath": os.pathsep.join([*first, *map(str, delta)]),
            "spark.driver.extraJavaOptions": f"{QUIET} {options}"}
