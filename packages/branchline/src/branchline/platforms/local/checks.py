"""What a run needs of this machine, each as a finding with its remedy."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from branchline.ci.identify import current_branch
from branchline.errors import BranchlineError, NotInstalled
from branchline.spark.jars import delta_jars, java

__all__ = ["Finding", "check_machine", "finding"]

JAVA_VERSIONS = ("17", "21")
UI_PORT = 5000
FREE_GB = 5
GB = 2**30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found and, unless it is fine, what to do about it.

    `hinders` tells whether a run would fail for it.
    """

    what: str
    found: str
    remedy: str = ""
    hinders: bool = False

    @property
    def verdict(self) -> str:
        return "wrong" if self.hinders else "note" if self.remedy else "ok"


def finding(what: str, look: Callable[[], str]) -> Finding:
    """What `look` returns, or the error that it raises, which has its remedy with it."""
    try:
        return Finding(what, look())
    except BranchlineError as problem:
        return Finding(what, str(problem), hinders=True)


def check_machine(root: Path, environment: Mapping[str, str]) -> Iterable[Finding]:
    """Findings about this machine, one by one; the jars are downloaded if they are missing."""
    yield _python()
    yield _packages()
    yield finding("Java", _java)
    yield finding("Delta's jars", lambda: f"{len(delta_jars())} files")
    yield finding("branch", lambda: _branch(root, environment))
    yield _port()
    yield _disk(root)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    fits = sys.version_info >= (3, 11)
    return Finding("Python", found, "" if fits else "install Python 3.11 or later, `make setup`",
                   hinders=not fits)


def _packages() -> Finding:
    try:
        found = ", ".join(f"{name} {version(name)}"
                          for name in ("mlflow", "pyspark", "delta-spark", "scikit-learn"))
    except PackageNotFoundError as missing:
        return Finding("packages", f"{missing.name} is missing", "run `make setup`", hinders=True)
    return Finding("packages", found)


def _java() -> str:
    program = java()
    said = subprocess.run([program, "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or found[1] not in JAVA_VERSIONS:
        raise NotInstalled(f"Java: {program} is version {found[1] if found else 'unknown'}; Spark "
                           f"needs {' or '.join(JAVA_VERSIONS)}: set JAVA_HOME to one.")
    return f"version {found[1]}, {program}"


def _branch(root: Path, environment: Mapping[str, str]) -> str:
    found = current_branch(root, None, environment)
    return f"{found.kind} {found.name}, schema {found.schema}"


def _port() -> Finding:
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", UI_PORT)) == 0
    return Finding(f"port {UI_PORT}", "taken" if taken else "free",
                   "`make ui` wants it; is another MLflow running?" if taken else "")


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free / GB
    short = free < FREE_GB
    return Finding("disk", f"{free:.0f} GB free", f"make room for {FREE_GB} GB: data, environments "
                   "and tables" if short else "", hinders=short)
