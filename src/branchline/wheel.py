"""The wheel: built from a checkout under an immutable version, installed alone for a run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from branchline.errors import BadInput, NotInstalled
from branchline.source import WHEEL_INPUTS, source_of

__all__ = ["build", "environment_with", "version_of"]


def version_of(wheel: Path) -> str:
    """The version in a wheel's file name.

    Raises:
        BadInput: no such file, or not a wheel's name.
    """
    parts = wheel.name.split("-")
    if not wheel.is_file() or wheel.suffix != ".whl" or len(parts) < 5:
        raise BadInput(f"wheel {wheel}: no such wheel file; build one with `make wheel`.")
    return parts[1]


def build(root: Path, out: Path) -> Path:
    """Build the wheel of the checkout at `root` into `out`; its version names the commit.

    Raises:
        BadInput: the checkout does not build; the builder's last line is in the text.
    """
    version = source_of(root).version
    with tempfile.TemporaryDirectory(prefix="branchline-wheel-") as scratch:
        copy = Path(scratch, "source")
        _copy_inputs(root, copy)
        project = copy / "pyproject.toml"
        stamped = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', project.read_text(), 1)
        project.write_text(stamped)
        _uv(root, "build", "--quiet", "--wheel", "--out-dir", f"{scratch}/wheel", str(copy))
        built = next(Path(scratch, "wheel").glob("*.whl"))
        out.mkdir(parents=True, exist_ok=True)
        shutil.copy(built, out / f".{built.name}")
        return (out / f".{built.name}").rename(out / built.name)


def _copy_inputs(root: Path, copy: Path) -> None:
    copy.mkdir()
    for name in WHEEL_INPUTS:
        if (root / name).is_dir():
            shutil.copytree(root / name, copy / name,
                            ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        elif (root / name).exists():
            shutil.copy(root / name, copy / name)


@contextmanager
def environment_with(wheel: Path, root: Path) -> Iterator[Path]:
    """A fresh environment with the wheel and uv.lock's exact versions; yields its bin folder.

    Raises:
        BadInput: the wheel does not install.
    """
    with tempfile.TemporaryDirectory(prefix="branchline-env-") as scratch:
        exact = Path(scratch, "constraints.txt")
        _uv(root, "export", "--quiet", "--frozen", "--no-emit-project", "--no-hashes",
            "--extra", "local", "--no-dev", "--directory", str(root), "--output-file", str(exact))
        home = Path(scratch, "env")
        _uv(root, "venv", "--quiet", "--python", sys.executable, str(home))
        _uv(root, "pip", "install", "--quiet", "--python", str(home), "--constraints", str(exact),
            f"{wheel.resolve()}[local]")
        yield home / "bin"


def _uv(root: Path, *command: str) -> None:
    program = shutil.which("uv") or shutil.which("uv", path=str(root / ".uv" / "bin"))
    if program is None:
        raise NotInstalled("uv: not found in PATH or .uv/; run `make setup`.")
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run([program, *command], capture_output=True, text=True, env=environment)
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise BadInput(f"uv {command[0]} failed: {' '.join(said[-3:]) or 'no output'}")


if __name__ == "__main__":
    print(build(Path.cwd(), Path("dist")))
