"""Environments with a Databricks runtime's libraries; as a command, the tests in one of them.

    python -m tests.runtime_environment 18-lts
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from branchline import wheel
from branchline.databricks.runtimes import Runtime
from branchline.errors import BranchlineError, NotInstalled
from tests.clone import ROOT

CACHE = ROOT / ".local" / "runtimes"
TESTS = ["tests/test_pipeline.py", "tests/fraud_detection/test_train.py",
         "tests/fraud_detection/test_evaluate.py", "tests/fraud_detection/test_predict.py"]
SHOWN = r"(pyspark|delta-spark|mlflow|mlflow-skinny|scikit-learn|numpy|pandas|pyarrow)=="


def environment(name: str) -> Path:
    """The `python` of an environment with the libraries of the runtime called `name`.

    Built on first use and kept under `.local/runtimes`. Spark and Delta are the open-source ones;
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

    Processes that ask for it at once build it once; one that was cut off is built anew.
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
    """Hold the file's lock, which ends with the process, however that ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _interpreter(version: str) -> str | None:
    # pyenv's programs answer only to those who name a version.
    found = subprocess.run([_uv(), "python", "find", "--no-python-downloads", version], text=True,
                           capture_output=True, env={**os.environ, "PYENV_VERSION": version})
    return found.stdout.strip() if found.returncode == 0 else None


def _uv() -> str:
    program = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".uv" / "bin"))
    if program is None:
        raise NotInstalled("uv: not found in PATH or .uv/; run `make setup`.")
    return program


def uv(*command: str) -> str:
    """What uv answers.

    Raises:
        NotInstalled: uv is missing or failed; its words are in the text.
    """
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    # Started elsewhere: in the repository, uv takes the constraints of its pyproject.toml.
    done = subprocess.run([_uv(), "--quiet", *command], capture_output=True, text=True,
                          env=variables, cwd=gettempdir())
    if done.returncode:
        said = " ".join(done.stderr.split()) or "no output"
        raise NotInstalled(f"uv {' '.join(command[:2])} failed: {said}")
    return done.stdout


def run_tests(name: str) -> int:
    """Run the tests with the wheel on top of the runtime's own libraries; pytest's exit code.

    Raises:
        NotInstalled: the wheel would not install without replacing one of the libraries.
    """
    python = environment(name)
    frozen = uv("pip", "freeze", "--python", str(python))
    print(_heading(name, python, frozen), flush=True)
    with TemporaryDirectory(prefix="branchline-runtime-") as scratch:
        product = _product(Path(scratch), python, frozen)
        return subprocess.run([python, "-m", "pytest", "-p", "no:cacheprovider", *TESTS], cwd=ROOT,
                              env={**os.environ, "PYTHONPATH": str(product)}).returncode


def _heading(name: str, python: Path, frozen: str) -> str:
    versions = [line.replace("==", " ") for line in frozen.splitlines() if re.match(SHOWN, line)]
    said = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout
    return f"{name}: {', '.join([said.strip(), *versions])}"


def _product(scratch: Path, python: Path, frozen: str) -> Path:
    """A folder with the wheel alone, which installs beside these libraries as they are."""
    built_wheel = str(wheel.build(ROOT, scratch / "dist"))
    (scratch / "frozen.txt").write_text(frozen)
    uv("pip", "install", "--dry-run", "--python", str(python), "--constraints",
       str(scratch / "frozen.txt"), built_wheel)
    uv("pip", "install", "--no-deps", "--target", str(scratch / "product"), "--python",
       str(python), built_wheel)
    return scratch / "product"


if __name__ == "__main__":
    try:
        sys.exit(run_tests(sys.argv[1] if len(sys.argv) > 1 else "18-lts"))
    except BranchlineError as problem:
        print(problem, file=sys.stderr)
        sys.exit(problem.exit_code)
