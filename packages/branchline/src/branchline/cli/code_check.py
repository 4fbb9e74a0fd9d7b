"""Checks a project's files against its code, before a run is created: MLproject, columns.yml."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from branchline.config.declaration import check, declared
from branchline.config.mlproject import Project
from branchline.errors import BadInput, NotInstalled, NotSet

__all__ = ["check_code"]


def check_code(project: Project, root: Path, values: Mapping[str, str]) -> None:
    """Check MLproject, and files that parameters name, by the code, if it can be imported here.

    Importing the code takes seconds. It happens in a process of its own, and only if a file or the
    code has changed since the last successful check.

    Args:
        root: the repository's top, which keeps the result of the check.
        values: the run's parameters.

    Raises:
        BadInput: MLproject differs from the code, the code cannot be imported, or cannot read a
            file; the text has file and line.
    """
    if project.pipeline is None:
        return
    files = _files(project, values)
    note, state = root / ".local" / f"checked-{project.folder.name}", _state(project, files)
    with suppress(OSError, UnicodeDecodeError):
        if note.read_text(encoding="utf-8") == state:
            return
    done = subprocess.run([sys.executable, "-m", __name__, str(project.folder), json.dumps(files)],
                          cwd=root, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["the check of MLproject ended early"]
        raise BadInput(lines[-1])
    if not done.stdout:
        return
    with suppress(OSError):  # a read-only checkout is checked each time
        note.parent.mkdir(exist_ok=True)
        note.write_text(state, encoding="utf-8")


def _files(project: Project, values: Mapping[str, str]) -> dict[str, str]:
    """The parameters that name a file of the project, there or not, or another one here."""
    locations = {name for point in project.entry_points.values()
                 for name, each in point.parameters.items() if each.type == "location"}
    return {name: text for name, text in values.items() if name in locations and text
            and ":/" not in text and (not Path(text).is_absolute() or Path(text).is_file())}


def _state(project: Project, files: Mapping[str, str]) -> str:
    """A hash of the files and of all code that reads them."""
    state = hashlib.sha256((project.folder / "MLproject").read_bytes())
    for name, text in sorted(files.items()):
        state.update(f"\0{name}={text}".encode())
        with suppress(OSError):
            about = (project.folder / text).stat()  # not the content: data may be large
            state.update(f" {about.st_size} {about.st_mtime_ns}".encode())
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


def _main(folder: Path, files: Mapping[str, str]) -> None:
    project = Project.read(folder)
    try:
        pipeline = declared(project)
        check(project, pipeline)
        os.chdir(folder)
        for parameter in pipeline.parameters:
            if parameter.read and parameter.name in files:
                with suppress(NotSet):  # the run's machine may have the variable
                    parameter.read(files[parameter.name])
    except NotInstalled:  # a machine that only submits does not have the code's libraries
        return
    except BadInput as problem:
        sys.exit(str(problem))
    print("checked")


if __name__ == "__main__":
    _main(Path(sys.argv[1]).resolve(), json.loads(sys.argv[2]))
