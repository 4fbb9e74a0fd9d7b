"""Lets a branch's tables begin as main's, with the fingerprints of main's steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from branchline.errors import BadInput
from branchline.lakehouse import Lakehouse
from branchline.lakehouse.clones import Base, base_of, clone_missing
from branchline.lakehouse.notes import write_note
from branchline.reuse.reuse import commits_of, fingerprint_file, is_kept, read

if TYPE_CHECKING:
    from branchline.pipeline import Pipeline
    from branchline.steps import Step

__all__ = ["begin"]


def begin(pipeline: Pipeline, settings: Any, lakehouse: Lakehouse) -> str:
    """Clone the tables of the schema `base` that the branch lacks; the line that tells it.

    Raises:
        BadInput: `base` is the branch's own schema.
        BadInput, TablesBusy: see `clone_missing`.
    """
    schema = replace(settings, schema=settings.base).tables_schema
    if schema == lakehouse.schema:
        raise BadInput(f"parameter base is {settings.base}, the schema of the run's own tables; "
                       "leave it out.")
    source = Lakehouse(lakehouse.spark, lakehouse.root, schema, lakehouse.files)
    with lakehouse.writing():
        cloned = clone_missing(source, lakehouse, pipeline.reusable_tables)
        if cloned:
            _adopt(source, lakehouse, pipeline.steps, cloned.commits, settings.base)
        elif not any(lakehouse.exists(table) for table in pipeline.reusable_tables):
            return f"none: {schema} has no tables of this project yet, so that all steps run"
    said = (f"{len(cloned.commits)} tables of {schema}" if cloned else
            "none: the branch has tables")
    return said + _kept(base_of(lakehouse))


def _kept(base: Base | None) -> str:
    if base is None:
        return ""
    until = f"{base.until:%Y-%m-%d %H:%M} UTC"
    return (f"; no VACUUM there removes their files before {until}" if base.is_kept else
            f"; since {until} a VACUUM of {base.schema} can remove files that they need: remove "
            "the branch's tables and begin again")


def _adopt(base: Lakehouse, branch: Lakehouse, steps: Iterable[Step],
           cloned: Mapping[str, str], name: str) -> None:
    """Give the clones the fingerprints of the base's steps that made all of what was cloned.

    Args:
        cloned: the base's commit that each table is a clone of.
    """
    for step in steps:
        found = read(fingerprint_file(base, step.name)) if is_kept(step) else None
        if found and all(cloned.get(name) == commit for name, commit in found.tables.items()):
            tables = commits_of(branch, step.reads + step.writes if step.reads else ())
            write_note(fingerprint_file(branch, step.name),
                       replace(found, tables=tables).written(of=name))
