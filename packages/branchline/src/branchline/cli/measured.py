"""Reads a project's measures: from its table, or from a file of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from math import isfinite
from pathlib import Path
from typing import Any

from branchline.branch import PRODUCTION, Branch
from branchline.cli.reading import check_tables, read_tables
from branchline.cli.repository import Repository
from branchline.config.deploy_file import read_deploy_file
from branchline.config.mlproject import Project
from branchline.errors import BadInput
from branchline.lakehouse.sql import text as literal
from branchline.monitoring.conditions import ANY, Condition
from branchline.monitoring.measures import MEASURES, Measure
from branchline.runs.request import Asked
from branchline.runs.shown_rows import SHOW, rows_of

__all__ = ["of_file", "of_table", "where"]

MOST_ROWS = 100_000
EXPECTED = "expected one JSON object per line, with the columns of gold.monitoring_measures"


def of_file(file: Path) -> list[Measure]:
    """The measures in a file.

    Raises:
        BadInput: it cannot be read, or a line is no measure.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(f"{file}: cannot be read ({problem}); {EXPECTED}.") from None
    return [_of_line(f"{file.name}, line {number}", line)
            for number, line in enumerate(lines, 1) if line.strip()]


def of_table(repository: Repository, target_name: str, project: Project, branch: Branch,
             conditions: Iterable[Condition]) -> list[Measure]:
    """The measures that the conditions are about, by the step `show`.

    Raises:
        BadInput: the project or the branch has no such table, or there are too many.
        RunFailed: the run failed.
    """
    check_tables(project, SHOW, [MEASURES.name])
    told = {"table": MEASURES.name, "where": where(conditions), "limit": str(MOST_ROWS)}
    of_jobs = _of_jobs(project, target_name) if branch == PRODUCTION else {}
    tracking, run_id = read_tables(repository, repository.target(target_name), project, branch,
                                   Asked(SHOW, {**of_jobs, **told}))
    rows, count = rows_of(tracking, run_id)
    if count > len(rows):
        raise BadInput(f"{MEASURES.name}: {count:,} measures fit the conditions; expected at most "
                       f"{MOST_ROWS:,}: name their subject and slice.")
    return [_measure(MEASURES.name, row) for row in rows]


def where(conditions: Iterable[Condition]) -> str:
    """The SQL condition on the table's rows that any of them is about."""
    found = []
    for each in conditions:
        columns = {"name": each.measure, "subject": each.subject, "slice": each.slice}
        found.append(" AND ".join(f"{name} = {literal(value)}" for name, value in columns.items()
                                  if value != ANY))
    return " OR ".join(f"({each})" for each in dict.fromkeys(found)) or "false"


def _of_jobs(project: Project, target_name: str) -> Mapping[str, str]:
    file = project.folder / "deploy.yml"
    return read_deploy_file(file).where(target_name).parameters if file.is_file() else {}


def _of_line(where: str, line: str) -> Measure:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput(f"{where}: is not a JSON object; {EXPECTED}.")
    return _measure(where, found)


def _measure(where: str, row: Mapping[str, Any]) -> Measure:
    """From values as they are, or as text."""
    try:
        low, value, high = (_number(row[name]) for name in ("low", "value", "high"))
        return Measure(
            _time(row["window_start"]), _time(row["window_end"]), str(row["model_version"] or ""),
            str(row["slice"] or ""), str(row["subject"]), str(row["name"]), value, low, high,
            int(row["rows"]), str(row["verdict"] or ""))
    except (KeyError, TypeError, ValueError) as problem:
        raise BadInput(f"{where}: is not a measure ({type(problem).__name__}: {problem}); "
                       f"{EXPECTED}.") from None


def _number(value: float | str | None) -> float | None:
    found = None if value is None else float(value)
    if found is not None and not isfinite(found):
        raise ValueError(f"{found} is no finite number")
    return found


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=found.tzinfo or timezone.utc)
