"""Checks a project's MLproject file against its code, before a run is created."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from branchline.config.declaration import check, declared
from branchline.config.mlproject import Project
from branchline.errors import BadInput, NotInstalled

__all__ = ["check_code"]


def check_code(project: Project, root: Path) -> None:
    """Check the project's file against its code, if that can be imported here.

    Importing the code takes seconds. It happens in a process of its own, and only if the file or
    the code has changed since the last successful check.

    Args:
        root: the repository's top, which keeps the result of the check.

    Raises:
        BadInput: they differ, or the code cannot be imported; the text has file and line.
    """
    if project.pipeline is None:
        return
    note, state = root / ".local" / f"checked-{project.folder.name}", _state(project)
    with suppress(OSError, UnicodeDecodeError):
        if note.read_text(encoding="utf-8") == state:
            return
    done = subprocess.run([sys.executable, "-m", __name__, str(project.folder)], cwd=root,
                          capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["the check of MLproject ended early"]
        raise BadInput(lines[-1])
    if not done.stdout:
        return
    with suppress(OSError):  # a read-only checkout is checked each time
        note.parent.mkdir(exist_ok=True)
        note.write_text(state, encoding="utf-8")


def _state(project: Project) -> str:
    """A hash of the file and of all code that its declarations depend on."""
    state = hashlib.sha256((project.folder / "MLproject").read_bytes())
    for file in _code(str(project.pipeline).partition(":")[0].partition(".")[0]):
        state.update(f"\0{file}\0".encode() + file.read_bytes())
    return state.hexdigest()


def _code(package: str) -> Iterator[Path]:
    ours = Path(__file__).parents[1]
    yield from (ours / f"{name}.py"
                for name in ("pipeline", "settings", "parameters", "show", "diff", "readers"))
    with suppress(ImportError, ValueError):
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            yield from sorted(Path(folder).rglob("*.py"))


def _main(folder: Path) -> None:
    project = Project.read(folder)
    try:
        check(project, declared(project))
    except NotInstalled:  # a machine that only submits does not have the code's libraries
        return
    except BadInput as problem:
        sys.exit(str(problem))
    print("checked")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
