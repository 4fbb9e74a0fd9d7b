"""What a run needs of this machine, each as a finding with its remedy."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from branchline.ci.identify import current_branch
from branchline.errors import NotInstalled
from branchline.platforms.checks import Check, check
from branchline.spark.jars import delta_jars, java

__all__ = ["check_machine"]

JAVA_VERSIONS = ("17", "21")
FREE_GB = 5
GB = 2**30


def check_machine(root: Path, environment: Mapping[str, str]) -> Iterable[Check]:
    """Findings about this machine, one by one; the jars are downloaded if they are missing."""
    yield _python()
    yield _packages()
    yield check("Java", _java)
    yield check("Delta's jars", lambda: f"{len(delta_jars())} files")
    yield check("branch", lambda: _branch(root, environment))
    yield _disk(root)


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    fits = sys.version_info >= (3, 11)
    return Check("Python", found, "" if fits else "install Python 3.11 or later, `make setup`",
                 blocking=not fits)


def _packages() -> Check:
    try:
        found = ", ".join(f"{name} {version(name)}"
                          for name in ("mlflow", "pyspark", "delta-spark", "scikit-learn"))
    except PackageNotFoundError as missing:
        return Check("packages", f"{missing.name} is missing", "run `make setup`", blocking=True)
    return Check("packages", found)


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


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root).free / GB
    short = free < FREE_GB
    return Check("disk", f"{free:.0f} GB free", f"make room for {FREE_GB} GB: data, environments "
                 "and tables" if short else "", blocking=short)
