"""The tests of the example with a Databricks runtime's libraries below its wheels.

    python -m tests.runtime_environment 18-lts
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from branchline.errors import BranchlineError
from branchline.wheels.build import build
from support.clone import ROOT
from workspace_server.runtime_environments import environment, uv

TESTS = ["tests/test_pipeline.py", "tests/fraud_detection/steps/test_train.py",
         "tests/fraud_detection/steps/test_evaluate.py",
         "tests/fraud_detection/steps/test_predict.py"]
SHOWN = r"(pyspark|delta-spark|mlflow|mlflow-skinny|scikit-learn|numpy|pandas|pyarrow)=="


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
    """A folder with the wheels alone, which install beside these libraries as they are."""
    wheels = list(map(str, build(ROOT, scratch / "dist")))
    (scratch / "frozen.txt").write_text(frozen)
    uv("pip", "install", "--dry-run", "--python", str(python), "--constraints",
       str(scratch / "frozen.txt"), *wheels)
    uv("pip", "install", "--no-deps", "--target", str(scratch / "product"), "--python",
       str(python), *wheels)
    return scratch / "product"


if __name__ == "__main__":
    try:
        sys.exit(run_tests(sys.argv[1] if len(sys.argv) > 1 else "18-lts"))
    except BranchlineError as problem:
        print(problem, file=sys.stderr)
        sys.exit(problem.exit_code)
