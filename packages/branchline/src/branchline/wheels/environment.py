"""Makes a fresh environment with given wheels, and nothing of the source tree."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from branchline.errors import BadInput
from branchline.wheels.uv import uv

__all__ = ["environment_with"]


@contextmanager
def environment_with(wheels: Sequence[Path], root: Path) -> Iterator[Path]:
    """A fresh environment with the wheels and uv.lock's exact versions; yields its bin folder.

    Args:
        wheels: the root's own is the last; it is installed with the extras of a local run.

    Raises:
        BadInput: the wheels do not install.
    """
    with tempfile.TemporaryDirectory(prefix="branchline-env-") as scratch:
        exact = Path(scratch, "constraints.txt")
        uv(root, "export", "--quiet", "--frozen", "--no-emit-workspace", "--no-hashes",
           "--extra", "local", "--no-dev", "--directory", str(root), "--output-file", str(exact))
        home = Path(scratch, "env")
        uv(root, "venv", "--quiet", "--python", sys.executable, str(home))
        *others, last = (str(wheel.resolve()) for wheel in wheels)
        install = ["pip", "install", "--quiet", "--python", str(home), "--constraints", str(exact),
                   *others, f"{last}[local]"]
        try:
            uv(root, *install, "--offline")
        except BadInput:  # not all is cached: ask the index, which is slow
            uv(root, *install)
        yield home / "bin"
