"""The smoke test of wheels: every module imports, in a fresh environment without sources."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from branchline.errors import BadInput
from branchline.wheels.environment import environment_with

__all__ = ["imports", "modules_of"]

IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    print(name, flush=True)
    importlib.import_module(name)
"""


def modules_of(wheel: Path) -> list[str]:
    """The modules in a wheel by their dotted names; without `__main__`."""
    with zipfile.ZipFile(wheel) as archive:
        files = [PurePosixPath(name) for name in archive.namelist() if name.endswith(".py")]
    parts = [(*file.parent.parts, *([] if file.stem == "__init__" else [file.stem]))
             for file in files if file.stem != "__main__"]
    return sorted(".".join(names) for names in parts if names)


def imports(wheels: Sequence[Path], root: Path) -> int:
    """Import every module of the wheels in a fresh environment; how many there are.

    Raises:
        BadInput: they do not install, one has no module, or a module does not import.
    """
    modules = {wheel.name: modules_of(wheel) for wheel in wheels}
    for name, found in modules.items():
        if not found:
            raise BadInput(f"{name}: has no module; see `packages` in pyproject.toml.")
    listed = [module for found in modules.values() for module in found]
    with environment_with(wheels, root) as programs:
        done = subprocess.run([str(programs / "python"), "-I", "-c", IMPORT_ALL, *listed],
                              capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no output"]
        last = (done.stdout.split() or listed)[-1]
        name = next(name for name, found in modules.items() if last in found)
        raise BadInput(f"{name}: {last} does not import in a clean environment: {said[-1]} "
                       "Declare what it needs in pyproject.toml.")
    return len(listed)
