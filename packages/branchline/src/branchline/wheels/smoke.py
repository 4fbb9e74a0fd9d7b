"""The smoke test of a wheel: every module in it imports, in a fresh environment without sources."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path, PurePosixPath

from branchline.errors import BadInput
from branchline.wheels.build import environment_with

__all__ = ["imports", "modules_of"]

IMPORT_ALL = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"


def modules_of(wheel: Path) -> list[str]:
    """The modules in a wheel by their dotted names; `__main__` is none to import."""
    with zipfile.ZipFile(wheel) as archive:
        files = [PurePosixPath(name) for name in archive.namelist() if name.endswith(".py")]
    parts = [(*file.parent.parts, *([] if file.stem == "__init__" else [file.stem]))
             for file in files if file.stem != "__main__"]
    return sorted(".".join(names) for names in parts if names)


def imports(wheel: Path, root: Path) -> int:
    """Import every module of the wheel in an environment of its own; how many there are.

    Raises:
        BadInput: the wheel does not install, holds no module, or one does not import.
    """
    modules = modules_of(wheel)
    if not modules:
        raise BadInput(f"{wheel.name}: holds no module; see `packages` in pyproject.toml.")
    with environment_with(wheel, root) as programs:
        done = subprocess.run([str(programs / "python"), "-I", "-c", IMPORT_ALL, *modules],
                              capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no output"]
        raise BadInput(f"{wheel.name}: does not import in a clean environment: {said[-1]} "
                       "Declare what it needs in pyproject.toml.")
    return len(modules)
