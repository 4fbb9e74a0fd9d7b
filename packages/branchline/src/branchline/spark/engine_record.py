"""What a checkout's warm engine says of itself, and how runs find it, in .local/engine."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from branchline.errors import BadInput
from branchline.records import Format
from branchline.spark.class_path import archive_folder
from branchline.spark.jars import delta_jars
from branchline.spark.session import JAVA_OPTIONS

__all__ = ["ALIVE", "Engine", "TOKEN", "USED", "folder_of", "identity", "is_alive", "is_served_by",
           "locked", "read", "remove", "write"]

FORMAT = Format("engine", 1)
RECORD = "engine.json"
ALIVE, USED = "alive.lock", "used.lock"  # held by the engine's process; by a run
LOOK_SECONDS = 0.05
TOKEN = "SPARK_CONNECT_AUTHENTICATE_TOKEN"  # Spark's own variable
# They decide what Java, Spark and its Python workers do.
VARIABLES = ("SPARK_", "PYSPARK_", "PYTHON", "JAVA_", "JDK_JAVA_", "HADOOP_", "TZ", "LC_", "LANG")


@dataclass(frozen=True)
class Engine:
    """A Spark Connect server for one checkout.

    `belongs_to` is what has to be equal for a run to use it; `token` is known to it and its runs.
    """

    process: int
    port: int
    token: str = field(repr=False)
    belongs_to: Mapping[str, str]


def folder_of(root: Path) -> Path:
    return root / ".local" / "engine"


def identity(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What an engine of this checkout belongs to now: checkout, Python, Java, jars, variables.

    Raises:
        NotInstalled: Java, pyspark, delta-spark or Delta's jars are missing.
    """
    variables = sorted(f"{name}={value}" for name, value in environment.items()
                       if name.startswith(VARIABLES) and name not in ("PYTHONUNBUFFERED", TOKEN))
    return {"checkout": str(root.resolve()), "Python": f"{sys.prefix} {sys.version}",
            "Java and jars": archive_folder(delta_jars(), JAVA_OPTIONS).name,
            "environment": hashlib.sha256("\n".join(variables).encode()).hexdigest()}


def write(folder: Path, engine: Engine) -> None:
    """Put the record in place, whole; nobody else can read it."""
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:  # mode 0600
        json.dump(FORMAT.written(asdict(engine)), file)
    os.replace(file.name, folder / RECORD)


def read(folder: Path) -> Engine | None:
    """The record; None if there is none.

    Raises:
        BadInput: it is not one, or of a newer branchline.
    """
    try:
        content = json.loads((folder / RECORD).read_text())
        return Engine(**FORMAT.read(content, f"{folder}/{RECORD}"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError):
        raise BadInput(f"{folder}/{RECORD}: is not an engine's record; remove it.") from None


def remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        (folder / RECORD).unlink()


@contextmanager
def locked(file: Path, seconds: float = 0.0) -> Iterator[bool]:
    """Lock a file in the block; False: another process still holds it after so many seconds.

    The lock ends with the process, however that ends.

    Raises:
        FileNotFoundError: the file's folder is gone, as with its checkout.
    """
    until = time.monotonic() + seconds
    with file.open("a") as held:
        while not (taken := _take(held)) and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        yield taken


def is_alive(folder: Path) -> bool:
    """Whether an engine's process holds its lock."""
    try:
        with (folder / ALIVE).open() as file:
            # Shared: two processes that look at once do not take each other for an engine.
            return not _take(file, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def is_served_by(folder: Path, process: int) -> bool:
    """Whether the record is that of the process; False if the record or the folder is gone."""
    try:
        found = read(folder)
    except BadInput:
        return False
    return found is not None and found.process == process


def _take(file: IO[str], kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
