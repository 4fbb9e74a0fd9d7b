"""branchline parity: what stream or service logged against what batch computes."""

from __future__ import annotations

import os
from pathlib import Path

import click

from branchline.ci.identify import current_branch
from branchline.ci.output import show_page
from branchline.cli import options
from branchline.cli.reading import check_tables, read_tables
from branchline.cli.repository import Repository
from branchline.errors import BadInput, ScoresDiffer
from branchline.records import encoded
from branchline.runs.request import Asked, pairs

__all__ = ["command"]

STEP = "parity"


@click.command("parity", context_settings=options.help_names)
@click.argument("project")
@click.option("--kafka", metavar="FILE",
              help="The settings for Kafka, with --log; by default those of the target.")
@click.option("--log", metavar="TOPIC",
              help="The topic that `branchline score-stream` logged to; by default, "
                   "gold.inference_log is compared.")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the tables are: a name in targets.yml.")
@click.option("--bound", default=0.0, show_default=True, metavar="SHARE",
              type=click.FloatRange(0, 1), help="The share of mismatches that is accepted.")
@click.option("-P", "--parameter", "given", multiple=True, metavar="NAME=VALUE",
              help="A parameter that the tables depend on, such as data; by default those of the "
                   "branch's newest run.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write it as JSON.")
@options.branch
@options.summary
@options.debug
def command(project: str, kafka: str | None, log: str | None, target_name: str, bound: float,
            given: tuple[str, ...], json_file: Path | None, given_branch: str | None,
            page: Path | None, debug: bool) -> None:
    """Compare the features and scores that stream and service of PROJECT logged with batch.

    A value that differs is no mismatch if it is, to the bit, what batch computes from the events
    and labels that had arrived when it was scored; the reason is shown.

    \b
    Exit codes: 0 no more mismatches than the bound; 2 bad input; 3 the run failed; 4 more
    mismatches; 5 Kafka or the workspace did not answer or permit it; 130 interrupted.
    """
    if kafka and not log:
        raise BadInput("--kafka: there is no topic; expected --log TOPIC, too, or neither, for "
                       "gold.inference_log.")
    repository = Repository.current()
    target, found = repository.target(target_name), repository.project(project)
    check_tables(found, STEP, ())
    branch = current_branch(repository.root, given_branch, os.environ)
    told = {"kafka": options.kafka_of(kafka, target), "log": log} if log else {}
    tracking, run_id = read_tables(repository, target, found, branch,
                                   Asked(STEP, {**pairs(given), **told}))
    from branchline.lakehouse.difference.output import print_parts, to_markdown
    from branchline.runs.shown_parity import parity_of, parts
    result = parity_of(tracking, run_id)
    shown = list(parts(result))
    print_parts(shown)
    if json_file:
        _write(json_file, encoded(result.to_json()).decode())
    if page:
        _write(page, to_markdown(f"{project} on {target_name}: stream and batch", shown))
        show_page(page, os.environ)
    if result.share > bound:
        raise ScoresDiffer(f"{result.mismatches:,} of {result.values:,} values "
                           f"({result.share:.3%}) differ without a proven reason; accepted are "
                           f"{bound:.3%}.")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
