"""The wheel: built from a checkout under an immutable version, installed alone for a run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from branchline.errors import BadInput, NotInstalled
from branchline.wheels.source import WHEEL_INPUTS, source_of

__all__ = ["build", "environment_with", "main", "project_name", "version_of"]


def version_of(wheel: Path) -> str:
    """The version in a wheel's file name.

    Raises:
        BadInput: no such file, or not a wheel's name.
    """
    parts = wheel.name.split("-")
    if not wheel.is_file() or wheel.suffix != ".whl" or len(parts) < 5:
        raise BadInput(f"wheel {wheel}: no such wheel file; build one with `make wheel`.")
    return parts[1]


def project_name(root: Path) -> str:
    """The name that the wheel of the checkout at `root` has in its file name, `my_project`.

    Raises:
        BadInput: `root` holds no pyproject.toml with a name.
    """
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return re.sub(r"[-_.]+", "_", str(project["name"])).lower()
    except (OSError, tomllib.TOMLDecodeError, KeyError) as problem:
        raise BadInput(f"{root}/pyproject.toml: cannot be read as a project with a name "
                       f"({type(problem).__name__}: {problem}).") from None


def build(root: Path, out: Path) -> Path:
    """Build the wheel of the checkout at `root` into `out`; its version names the commit.

    The same files give the same bytes, wherever, whenever and by whomever they are built.

    Raises:
        BadInput: the checkout does not build; the builder's last line is in the text.
    """
    version = source_of(root).version
    with tempfile.TemporaryDirectory(prefix="branchline-wheel-") as scratch:
        copy = Path(scratch, "source")
        _copy_inputs(root, copy)
        project = copy / "pyproject.toml"
        stamped = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"',
                         project.read_text(encoding="utf-8"), count=1)
        project.write_text(stamped, encoding="utf-8")
        _uv(root, "build", "--quiet", "--wheel", "--python", sys.executable,
            "--out-dir", f"{scratch}/wheel", str(copy))
        built = next(Path(scratch, "wheel").glob("*.whl"))
        out.mkdir(parents=True, exist_ok=True)
        _repack(built, out / f".{built.name}")
        return (out / f".{built.name}").rename(out / built.name)


def _copy_inputs(root: Path, copy: Path) -> None:
    # Hatchling looks for a .gitignore in all folders above, up to one that holds a .git.
    (copy / ".git").mkdir(parents=True)
    for name in _inputs(root):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, copy / name)


def _inputs(root: Path) -> list[str]:
    """The wheel's files below `root`: those that git knows or would take, else all but caches.

    What git ignores leaves a checkout clean, so it may not reach the wheel of the commit.
    """
    command = ["git", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard", "--"]
    try:
        listed = subprocess.run([*command, *WHEEL_INPUTS], capture_output=True, text=True).stdout
    except OSError:  # no git on this machine
        listed = ""
    found = listed.split("\0") if listed else [
        str(file.relative_to(root)) for top in WHEEL_INPUTS
        for file in [root / top, *(root / top).rglob("*")] if "__pycache__" not in file.parts]
    return [name for name in found if (root / name).is_file()]


def _repack(built: Path, wheel: Path) -> None:
    """Write the archive anew, undated and not compressed: zlib differs between machines."""
    with zipfile.ZipFile(built) as source, zipfile.ZipFile(wheel, "w") as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            target.writestr(entry, source.read(name))


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
        install = ["pip", "install", "--quiet", "--python", str(home), "--constraints", str(exact),
                   f"{wheel.resolve()}[local]"]
        try:
            _uv(root, *install, "--offline")
        except BadInput:  # the cache lacks something: the index is asked of all, which takes long
            _uv(root, *install)
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


def main() -> None:
    """Build the wheel of the checkout that this is called in, and leave it alone in dist/."""
    wheel = build(Path.cwd(), Path("dist"))
    for other in wheel.parent.glob("*.whl"):
        if other != wheel:
            other.unlink()
    print(wheel)


if __name__ == "__main__":
    main()
