"""A step in every pipeline: logs some rows of a table as text."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from branchline.errors import BadInput
from branchline.lakehouse import Lakehouse, Table
from branchline.lakehouse.conditions import chosen, told_in_one_line
from branchline.runs.shown_rows import ARTIFACT, SHOW
from branchline.steps import Step

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SHOW", "as_lines", "command_for", "find_table", "show_step"]

LONGEST = 1000  # characters of a value


def show_step(tables: Iterable[Table]) -> Step:
    """The step: up to `limit` rows of the settings' `table` that meet `where`.

    An artifact has one JSON object per row, every value text or null. Counts: `rows` that meet the
    condition, `shown` ones among them. It only reads, and takes no lock on the tables.
    """
    known = tuple(tables)

    def run(lakehouse: Lakehouse, settings: Any) -> Mapping[str, int]:
        import mlflow
        table = find_table(settings.table, known)
        if not lakehouse.exists(table):
            there = [each.name for each in known if lakehouse.exists(each)]
            raise BadInput(f"table {table.name} is not there yet; there are "
                           f"{', '.join(there) or 'none'} in schema {lakehouse.schema} of "
                           f"{lakehouse.root}.")
        # As it is: neither created nor migrated.
        rows = chosen(lakehouse.spark.table(lakehouse.reference(table)), settings.where)
        with told_in_one_line(settings.where):
            some, count = rows.limit(settings.limit).toArrow(), rows.count()
        mlflow.log_text(as_lines(some), ARTIFACT)
        return {"rows": count, "shown": some.num_rows}

    return Step(SHOW, run, on_request=True)


def find_table(name: str, tables: Iterable[Table]) -> Table:
    """The table of that name.

    Raises:
        BadInput: there is none; the text lists the known tables.
    """
    known = {table.name: table for table in tables}
    if name not in known:
        raise BadInput(f"table {name!r} is unknown; expected one of {', '.join(sorted(known))}.")
    return known[name]


def as_lines(rows: pa.Table) -> str:
    """The rows as JSON lines, every value as text."""
    columns = [_texts(column) for column in rows.columns]
    return "".join(json.dumps(dict(zip(rows.column_names, row, strict=True))) + "\n"
                   for row in zip(*columns, strict=True))


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    import pyarrow as pa
    if pa.types.is_timestamp(column.type):
        zone = "UTC" if column.type.tz else None
        column = column.cast(pa.timestamp("us", zone)).cast(pa.string())
    return [None if value is None else _text(value) for value in column.to_pylist()]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.hex()
    text = value if isinstance(value, str) else (
        json.dumps(value, default=str, ensure_ascii=False)
        if isinstance(value, dict | list) else str(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def command_for(table: Table) -> str:
    """The command that shows the table in the branch of the current run."""
    import mlflow
    run = mlflow.active_run()
    tags = run.data.tags if run else {}
    words = ["branchline", SHOW, tags.get("project", "PROJECT"), table.name]
    if tags.get("target", "local") != "local":
        words += ["--on", tags["target"], "--branch", tags.get("branch", "NAME")]
    return shlex.join(words)
