"""Environments for runs: a runtime's libraries below, exactly the requested wheels on top."""

from __future__ import annotations

import ensurepip
import os
import shutil
import subprocess
import sys
import threading
import venv
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from branchline.platforms.databricks.runtimes import Runtime, for_spark_version
from workspace_server.errors import not_emulated
from workspace_server.runtime_environments import environment

CURRENT = "current"
# They belong to the environment of the tests: a run must not find the source tree through them.
HIDDEN = ("branchline", "fraud_detection", "terminal_watch", "workspace_server",
          "_editable_impl_", "__editable__", "__pycache__")


class InstallFailed(Exception):
    """A requested library does not install; the text is pip's."""


@dataclass(frozen=True)
class Base:
    """The base environment: an interpreter with libraries, and its Spark and Delta versions."""

    name: str
    python: Path
    spark: str
    delta: str


class Environments:
    """Creates an environment for every compute; `kind` is as in Options."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind = folder, kind
        self._lock = threading.Lock()
        shutil.rmtree(folder, ignore_errors=True)  # an earlier server's packages differ

    def base(self, wanted: str) -> Base:
        """The base for a spark_version or a serverless environment version.

        Raises:
            ApiError: 501, this repository has no data of that runtime.
        """
        if self.kind == CURRENT:
            return Base(CURRENT, Path(sys.executable), version("pyspark"), version("delta-spark"))
        runtime = (Runtime.read(f"serverless-{wanted}") if wanted in ("4", "5")
                   else for_spark_version(wanted))
        if runtime is None:
            raise not_emulated(f"the runtime {wanted}")
        return Base(runtime.name, environment(runtime.name), runtime.spark, runtime.delta)

    def fresh(self, folder: Path, base: Base) -> Path:
        """The `python` of a new environment in `folder`, with the base's libraries."""
        base_python = Path(os.path.realpath(base.python))
        if base_python == Path(os.path.realpath(sys.executable)):
            venv.create(folder, clear=True, symlinks=True)
        else:
            subprocess.run([base_python, "-m", "venv", "--without-pip", "--clear", folder],
                           check=True)
        own = next(folder.glob("lib/python*/site-packages"))
        (own / "runtime.pth").write_text(str(self._layer(base)))
        return folder / "bin" / "python"

    def _layer(self, base: Base) -> Path:
        """A folder of links to the base's packages, except those that lead to the source tree."""
        layer = self.folder / base.name
        with self._lock:
            if not layer.exists():
                building = layer.with_suffix(".building")
                building.mkdir(parents=True)
                for package in _site_packages(base.python).iterdir():
                    if not package.name.startswith(HIDDEN) and package.suffix != ".pth":
                        (building / package.name).symlink_to(package)
                building.rename(layer)
        return layer


def _site_packages(python: Path) -> Path:
    asked = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                           capture_output=True, text=True, check=True)
    return Path(asked.stdout.strip())


def install(python: Path, requirements: list[str]) -> None:
    """Installs as a cluster does: with pip, which replaces the base's libraries only if it must.

    Raises:
        InstallFailed: with pip's last message.
    """
    pip = next(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    variables = {name: value for name, value in os.environ.items()
                 if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [python, pip / "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
         *requirements],
        capture_output=True, text=True, env={**variables, "PYTHONNOUSERSITE": "1"},
        cwd=python.parent)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise InstallFailed(" ".join(said or done.stderr.split("\n"))[-1000:].strip())
