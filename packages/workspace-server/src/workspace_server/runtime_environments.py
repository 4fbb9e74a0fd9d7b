"""Environments with a Databricks runtime's libraries."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

from branchline.errors import NotInstalled
from branchline.platforms.databricks.runtimes import Runtime

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "branchline" / "runtimes"


def environment(name: str) -> Path:
    """The `python` of an environment with the libraries of the runtime called `name`.

    Built on first use and kept in the user's cache. Spark and Delta are the open-source ones;
    where this machine lacks the runtime's Python, the running one stands in, and stdout says so.

    Raises:
        BadInput: no such runtime.
        NotInstalled: uv is missing or could not build it.
    """
    runtime = Runtime.read(name)
    python = _interpreter(runtime.python)
    if python is None:
        print(f"{name} has Python {runtime.python}; this machine lacks it, so "
              f"{'%d.%d' % sys.version_info[:2]} stands in.", flush=True)
    exact = {**runtime.libraries, **runtime.ml_libraries, "pyspark[connect]": runtime.spark,
             "delta-spark": runtime.delta}
    return built(CACHE, name, python or sys.executable,
                 [f"{library}=={version}" for library, version in exact.items()])


def built(cache: Path, name: str, python: str, libraries: Sequence[str]) -> Path:
    """The `python` of a kept environment with these libraries, whose folder's name has their hash.

    Processes that ask for it at once build it once; an interrupted build is repeated.
    """
    content = hashlib.sha256("\n".join([python, *libraries]).encode()).hexdigest()
    folder = cache / f"{name}-{content[:12]}"
    whole = folder / ".whole"
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f"{folder.name}.lock"):
        if not whole.exists():
            uv("venv", "--clear", "--python", python, str(folder))
            uv("pip", "install", "--python", str(folder), *libraries)
            whole.touch()
    return folder / "bin" / "python"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file's lock, which ends with the process even if it is killed."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _interpreter(version: str) -> str | None:
    # pyenv's programs work only if a version is given.
    found = subprocess.run([_uv(), "python", "find", "--no-python-downloads", version], text=True,
                           capture_output=True, env={**os.environ, "PYENV_VERSION": version})
    return found.stdout.strip() if found.returncode == 0 else None


def _uv() -> str:
    # `make setup` puts it beside the environment, whatever the current folder is.
    program = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.prefix, "../.uv/bin")))
    if program is None:
        raise NotInstalled("uv: not found in PATH or .uv/; run `make setup`.")
    return program


def uv(*command: str) -> str:
    """The output of uv.

    Raises:
        NotInstalled: uv is missing or failed; the text has its message.
    """
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    # Started elsewhere: inside the repository, uv would apply its pyproject.toml's constraints.
    done = subprocess.run([_uv(), "--quiet", *command], capture_output=True, text=True,
                          env=variables, cwd=gettempdir())
    if done.returncode:
        said = " ".join(done.stderr.split()) or "no output"
        raise NotInstalled(f"uv {' '.join(command[:2])} failed: {said}")
    return done.stdout
