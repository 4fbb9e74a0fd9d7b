"""Tables that begin as shallow clones of another branch's: logs that point to its files.

What the branch writes then goes into files of its own; the other's are only read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from branchline.errors import BadInput, RunFailed
from branchline.lakehouse.lakehouse import Lakehouse
from branchline.lakehouse.notes import note, read_note, write_note
from branchline.lakehouse.table import NO_COMMIT, Table
from branchline.records import Format

__all__ = ["Base", "base_of", "clone_missing", "explained"]

FORMAT = Format("clones", 1)
RETENTION, DEFAULT_RETENTION = "delta.deletedFileRetentionDuration", "interval 1 week"
GONE = ("FILE_NOT_EXIST", "FILE_NOT_FOUND", "FileNotFoundException", "NoSuchFileException")


@dataclass(frozen=True)
class Base:
    """What the tables of a schema began as: another schema's, at these commits.

    Attributes:
        commits: the base's commit, `VERSION/TIME`, by cloned table.
        until: when a VACUUM of the base may first remove files of theirs.
        missing: the tables that are not cloned yet.
    """

    schema: str
    commits: Mapping[str, str]
    until: datetime
    missing: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether no VACUUM with the base's own retention can have removed a file by now."""
        return datetime.now(timezone.utc) < self.until

    def written(self) -> dict[str, Any]:
        return FORMAT.written({"from": self.schema, "commits": dict(self.commits),
                               "until": self.until.isoformat(), "missing": self.missing})


def clone_missing(source: Lakehouse, target: Lakehouse, tables: Iterable[Table]) -> Base | None:
    """Make the target's tables clones of the source's; None if there was nothing to do.

    That is so, too, if the source has none of the tables. Which commits is noted first: a rerun of
    a killed one takes the same. A target that has tables of its own keeps them, and what was
    dropped there stays dropped.

    Raises:
        BadInput: Spark has no shallow clones.
        TablesBusy: another process is writing the source, which is then not at rest, or the target.
    """
    known = tuple(tables)
    with target.writing():
        base = base_of(target)
        if base is None and any(target.exists(table) for table in known):
            return None
        base = _noted(source, target, known, base)
        if base is None or not base.missing:
            return None
        for table in known:
            if table.name in base.missing:
                _clone(source, target, table, int(base.commits[table.name].partition("/")[0]))
        write_note(_file(target), Base(base.schema, base.commits, base.until).written())
    return base


def base_of(lakehouse: Lakehouse) -> Base | None:
    """What the schema's tables began as; None if they began empty.

    In a table that began as a clone, version 0 is what the other branch's table held.
    """
    content = read_note(_file(lakehouse))
    if content is None:
        return None
    found = FORMAT.read(content, str(_file(lakehouse)))
    return Base(found["from"], found["commits"], datetime.fromisoformat(found["until"]),
                tuple(found["missing"]))


def explained(lakehouse: Lakehouse, failure: Exception) -> RunFailed | None:
    """The error for a failure because of a file of the base's that is gone; None for others."""
    base, text = base_of(lakehouse), str(failure)
    named = re.findall(r"[^\s'\"`,]+\.parquet", text)
    foreign = [path for path in named if f"/{lakehouse.schema}/" not in path]
    if base is None or not any(sign in text for sign in GONE) or (named and not foreign):
        return None
    file = f"file {foreign[0]}" if foreign else "a file"
    return RunFailed(
        f"schema {lakehouse.schema} of {lakehouse.root}: its tables began as clones of "
        f"{base.schema}'s, and {file} of those is gone: {base.schema}'s table was dropped, or a "
        f"VACUUM removed it (not before {base.until:%Y-%m-%d %H:%M} UTC by itself). Delete the "
        f"schema's tables and the folder {_file(lakehouse).parents[1]}, and run with --from-main "
        "again.")


def _noted(source: Lakehouse, target: Lakehouse, tables: tuple[Table, ...],
           before: Base | None) -> Base | None:
    """The base with the tables that no call has noted yet: those of another project of a branch.

    None if the source has none of the tables.
    """
    commits = dict(before.commits) if before else {}
    unknown = [table for table in tables
               if table.name not in commits and not target.exists(table)]
    with source.writing() if unknown else nullcontext():
        new = {table: commit for table in unknown
               if (commit := source.commit(table)) != NO_COMMIT}
    if not new:
        return before
    kept = [_kept_until(source, new), *([before.until] if before else [])]
    commits |= {table.name: commit for table, commit in new.items()}
    base = Base(source.schema, commits, min(kept),
                (*(before.missing if before else ()), *(table.name for table in new)))
    write_note(_file(target), base.written())
    return base


def _kept_until(source: Lakehouse, tables: Iterable[Table]) -> datetime:
    """Until when Delta keeps a file that is deleted now from any of the tables."""
    found = set()
    for table in tables:
        shown = source.spark.sql(f"SHOW TBLPROPERTIES {source.reference(table)}").collect()
        found.add({row["key"]: row["value"] for row in shown}.get(RETENTION, DEFAULT_RETENTION))
    seconds = source.spark.sql("SELECT " + ", ".join(
        f"unix_seconds(current_timestamp() + {interval})" for interval in sorted(found))).first()
    assert seconds is not None
    return datetime.fromtimestamp(min(seconds), timezone.utc)


def _clone(source: Lakehouse, target: Lakehouse, table: Table, version: int) -> None:
    from pyspark.errors import ParseException
    try:
        target.begin(table, source, version)
    except ParseException:
        raise BadInput("this Spark has no shallow clones of Delta tables; expected Delta 2.3 or "
                       "Databricks Runtime 10.4, or newer. Leave --from-main out: then all tables "
                       "are built.") from None


def _file(lakehouse: Lakehouse) -> Path:
    return note(lakehouse, "base", "versions")
