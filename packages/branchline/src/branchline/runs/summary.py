"""A run on the terminal: its header, its metrics, where to look next."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from branchline.config.mlproject import Project
from branchline.config.mlproject_text import MAIN
from branchline.runs import ui
from branchline.runs.tracking import Tracking
from branchline.text import code, markdown, one_line, safe, without_credentials

if TYPE_CHECKING:
    from mlflow.entities import Run

    from branchline.runs.request import Request

__all__ = ["address", "narrator", "show_end", "show_next", "show_start",
           "to_markdown"]


def narrator() -> Callable[[str], None]:
    """A function that prints a line with the minutes and seconds since now."""
    began = time.monotonic()

    def say(text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        lines = safe(text).replace("\n", "\n         ")
        print(f"  {minutes:>2}:{seconds:02}  {lines}", flush=True)

    return say


def show_start(request: Request, target: str, experiment: str, run_id: str) -> None:
    """Print what starts, where, and as which run."""
    print(one_line(f"{request.project.name} on {target}, {request.branch.kind} "
                   f"{request.branch.name}"))
    print(f"experiment  {one_line(experiment)}")
    print(f"run         {run_id}\n", flush=True)


def show_end(tracking: Tracking, run_id: str) -> None:
    """Print the run's headline metrics (those without a group before a slash) and addresses."""
    run = tracking.run(run_id)
    if metrics := _headline(run):
        _show_table(metrics)
    print(f"\nrun        {address(tracking, run.info.experiment_id, run_id)}")
    folder = run.info.artifact_uri
    shown = unquote(urlsplit(folder).path) if folder.startswith("file:") else folder
    print(f"artifacts  {one_line(shown)}")


def _show_table(metrics: Mapping[str, str]) -> None:
    from rich.console import Console  # not before a submission
    from rich.table import Table
    table = Table("metric", "value", box=None, padding=(0, 3, 0, 0))
    table.columns[1].justify = "right"
    for name, value in metrics.items():
        table.add_row(one_line(name), value)
    print()
    Console(highlight=False, markup=False, color_system=None).print(table)


def to_markdown(tracking: Tracking, run_id: str, problem: str = "") -> str:
    """The same for a CI system's page: a heading, what went wrong, a table of the headline metrics,
    the address."""
    run = tracking.run(run_id)
    tags = run.data.tags
    rows = [f"| {markdown(name)} | {value} |" for name, value in _headline(run).items()]
    return "\n".join([
        f"## {markdown(tags.get('project', 'run'))}: {run.info.status.lower()}", "",
        f"Branch {code(tags.get('branch', ''))}, wheel {code(tags.get('wheel_version', ''))}.", "",
        *([f"**{markdown(problem)}**", ""] if problem else []),
        *(["| metric | value |", "|---|---:|", *rows, ""] if rows else []),
        address(tracking, run.info.experiment_id, run_id), ""])


def _headline(run: Run) -> dict[str, str]:
    return {name: f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4f}"
            for name, value in run.data.metrics.items() if "/" not in name}


def show_next(project: Project, entry_point: str) -> None:
    """Print the command to try next: one of the steps that run by default."""
    main = project.entry_points.get(MAIN)
    steps = main.parameters.get("steps") if main else None
    usual = (steps.default or "").split(",") if steps else project.entry_points
    others = [name for name in project.entry_points if name != entry_point and name in usual]
    if others:
        print(f"next       python mlflow-triggers/run.py {project.name} "
              f"-e {one_line('|'.join(others))}")


def address(tracking: Tracking, experiment_id: str, run_id: str) -> str:
    """Where a browser shows the run; a database is shown by `make ui`."""
    page = f"experiments/{experiment_id}/runs/{run_id}"
    if tracking.pages:
        return without_credentials(f"{tracking.pages}/{page}")
    if tracking.uri.startswith(("http://", "https://")):
        return without_credentials(f"{tracking.uri.rstrip('/')}/#/{page}")
    database = Path(unquote(tracking.uri.removeprefix("sqlite:///")))
    return f"{ui.page(database.parent)}/#/{page}  (after `make ui`)"
