"""Compares the tables of two branches on the platform that has them, and shows the differences."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from branchline.branch import Branch, named
from branchline.ci.identify import current_branch
from branchline.ci.output import show_page
from branchline.cli import options
from branchline.cli.reading import check_tables, read_tables
from branchline.cli.repository import Repository
from branchline.errors import TablesDiffer
from branchline.lakehouse.difference.found import TableFound
from branchline.lakehouse.difference.output import print_parts, to_markdown
from branchline.lakehouse.difference.page import page
from branchline.records import encoded
from branchline.runs.request import Asked, pairs
from branchline.runs.shown_difference import DIFF, FORMAT, difference_of

__all__ = ["command"]

CHANGES = ("schema", "rows", "values")


@click.command("diff", context_settings=options.help_names)
@click.argument("project")
@click.argument("tables", nargs=-1, metavar="[TABLE...]")
@click.option("--from", "from_branch", default="main", show_default=True, metavar="BRANCH",
              help="The branch to compare with.")
@click.option("--to", "given_branch", metavar="BRANCH",
              help="The branch to compare; by default that of the CI's variables or of git.")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the tables are: a name in targets.yml.")
@click.option("--rows", default=0, show_default=True, metavar="N", type=click.IntRange(0, 1000),
              help="Show up to N rows of each kind, with their values.")
@click.option("--tolerance", default=0.0, show_default=True, metavar="SHARE",
              type=click.FloatRange(0, 1),
              help="Floats are equal if they differ by at most this share of the larger one.")
@click.option("-P", "--parameter", "given", multiple=True, metavar="NAME=VALUE",
              help="A parameter that the tables depend on, such as data; by default those of the "
                   "newest run of the branch to compare.")
@click.option("--markdown", "markdown_file", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write it as Markdown, and show it on the CI's page.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write it as JSON.")
@click.option("--fail-on", "fail_on", multiple=True, type=click.Choice(CHANGES),
              help="Exit with 4 if tables differ in this; repeat for more.")
@options.debug
def command(project: str, tables: tuple[str, ...], from_branch: str, given_branch: str | None,
            target_name: str, rows: int, tolerance: float, given: tuple[str, ...],
            markdown_file: Path | None, json_file: Path | None, fail_on: tuple[str, ...],
            debug: bool) -> None:
    """Compare the tables of PROJECT in two branches: each TABLE, or all.

    Rows are matched by the table's key. Row values are shown only with --rows. For tables declared
    as KPIs, the figures that changed most are shown.

    \b
    Exit codes: 0 compared, whatever differs; 2 bad input, or no such tables; 3 the run failed;
    4 something differs that --fail-on names; 5 the workspace did not answer or permit it;
    130 interrupted.
    """
    repository = Repository.current()
    target, found = repository.target(target_name), repository.project(project)
    check_tables(found, DIFF, tables)
    before, after = named(from_branch, "--from"), _compared(repository, given_branch)
    told = {"table": ",".join(tables), "samples": str(rows), "tolerance": f"{tolerance:.12g}",
            "against": target.values(before, repository.root)["schema"]}
    tracking, run_id = read_tables(repository, target, found, after,
                                   Asked(DIFF, {**pairs(given), **told}))
    content = difference_of(tracking, run_id)
    _show(content, f"{project} on {target_name}", before.name, after.name, markdown_file)
    if json_file:
        _write(json_file, encoded(FORMAT.written(content)).decode())
    _judge(_tables(content), fail_on)


def _compared(repository: Repository, given: str | None) -> Branch:
    if given is not None:
        return named(given, "--to")
    return current_branch(repository.root, None, os.environ)


def _show(content: dict[str, Any], where: str, before: str, after: str,
          markdown_file: Path | None) -> None:
    parts = list(page(_tables(content), before, after))
    print_parts(parts)
    if markdown_file:
        _write(markdown_file, to_markdown(f"{where}: {before} and {after} compared", parts))
        show_page(markdown_file, os.environ)


def _tables(content: dict[str, Any]) -> list[TableFound]:
    return [TableFound.from_json(each) for each in content["tables"]]


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _judge(tables: Sequence[TableFound], fail_on: Sequence[str]) -> None:
    found = [f"{table.name} ({', '.join(names)})" for table in tables
             if (names := [name for name in table.differs_in if name in fail_on])]
    if found:
        raise TablesDiffer(f"--fail-on {', '.join(fail_on)}: found differences in "
                           f"{'; '.join(found)}.")
