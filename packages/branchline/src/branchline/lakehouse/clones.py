"""Tables that begin as shallow clones of another branch's: logs that point to its files.

What the branch writes then goes into files of its own; the other's are only read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from branchline.errors import BadInput
from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.table import Table

__all__ = ["began_as_clones", "clone_missing"]

NOTE = "versions.json"


def clone_missing(source: Lakehouse, target: Lakehouse, tables: Iterable[Table]) -> dict[str, int]:
    """Make the target's tables clones of the source's; the source's versions by table's name.

    Which versions is noted first: a rerun of a killed one takes the same. Once all are there, or
    where the target already has tables of its own, nothing is done, and nothing returned.

    Raises:
        BadInput: the source has none of the tables.
        TablesBusy: another process is writing the source, which is then not at rest, or the target.
    """
    known = tuple(tables)
    with target.writing():
        note = _note(target)
        if not note.exists():
            if any(target.exists(table) for table in known):
                return {}
            _write(note, {"from": source.schema, "done": False,
                          "versions": _versions(source, known)})
        said = json.loads(note.read_text(encoding="utf-8"))
        if said["done"]:
            return {}
        versions: dict[str, int] = said["versions"]
        for table in known:
            if table.name in versions:
                target.begin(table, source, versions[table.name])
        _write(note, {**said, "done": True})
    return versions


def began_as_clones(lakehouse: Lakehouse) -> bool:
    """Whether the tables' first versions, number 0, are what another branch's tables held."""
    return _note(lakehouse).exists()


def _note(lakehouse: Lakehouse) -> Path:
    return Path(lakehouse.area("base"), NOTE)


def _versions(source: Lakehouse, tables: Iterable[Table]) -> dict[str, int]:
    with source.writing():
        found = {table.name: source.version(table) for table in tables if source.exists(table)}
    if not found:
        raise BadInput(f"schema {source.schema} of {source.root} has none of the project's tables "
                       "to begin with; run the project on that branch first, with the same data, "
                       "or leave --from-main out.")
    return found


def _write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".new")
    scratch.write_text(json.dumps(content, indent=1), encoding="utf-8")
    os.replace(scratch, file)
