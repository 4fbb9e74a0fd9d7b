"""The rows that the step `show` logged to its run, as a table on the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from branchline.runs.answers import answered
from branchline.runs.tracking import Tracking
from branchline.text import one_line, unprotected

__all__ = ["ARTIFACT", "SHOW", "newest_parameters", "print_rows", "rows_of"]

SHOW = "show"  # the step that every pipeline has
ARTIFACT = f"{SHOW}/rows.jsonl"
WIDEST = 48  # characters of a value
ELSEWHERE = 160  # width when the output is not a terminal
Row = Mapping[str, str | None]


def newest_parameters(tracking: Tracking, experiment: str) -> dict[str, str]:
    """The parameters of the newest run in an experiment, by its name; empty without a run."""
    client = tracking.client()
    with answered(f"experiment {experiment}"):
        found = client.get_experiment_by_name(experiment)
        runs = client.search_runs([found.experiment_id], max_results=1) if found else []
    return dict(runs[0].data.params) if runs else {}


def rows_of(tracking: Tracking, run_id: str) -> tuple[list[Row], int]:
    """The rows that a run of `show` logged, and how many there are in the table."""
    import mlflow
    run = tracking.run(run_id)
    with answered(f"rows of run {run_id}"):
        text = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/{ARTIFACT}")
    return [json.loads(line) for line in text.splitlines()], int(run.data.metrics[f"{SHOW}/rows"])


def print_rows(rows: Sequence[Row], count: int) -> None:
    """Print the rows: one line each or, if the terminal is too narrow, one block each."""
    from rich.console import Console
    from rich.table import Table
    width = None if unprotected(sys.stdout).isatty() else ELSEWHERE
    console = Console(highlight=False, markup=False, color_system=None, width=width)
    shown = [{one_line(name): _short(value) for name, value in row.items()} for row in rows]
    if rows and _width(shown) <= console.width:
        table = Table(*shown[0], box=None, padding=(0, 2, 0, 0))
        for row in shown:
            table.add_row(*row.values())
        console.print(table)
    else:
        for number, row in enumerate(shown, 1):
            block = Table(f"row {number}", "", box=None, padding=(0, 2, 0, 0))
            for pair in row.items():
                block.add_row(*pair)
            console.print(block)
    print(f"{len(rows):,} of {count:,} {'row' if count == 1 else 'rows'}")


def _short(value: str | None) -> str:
    """For a cell: safe, on one line, cut if too wide; NULL is empty."""
    line = one_line(value or "")
    return line if len(line) <= WIDEST else f"{line[:WIDEST - 3]}..."


def _width(rows: Sequence[Mapping[str, str]]) -> int:
    return sum(2 + max(len(name), *(len(row[name]) for row in rows)) for name in rows[0])
