"""Evaluates a project's alerts: tells what opened and closed, and lists what is open."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from branchline.branch import PRODUCTION
from branchline.ci.identify import current_branch, started_by
from branchline.cli import measured, options
from branchline.cli.repository import Repository
from branchline.config.monitors_file import read_monitors
from branchline.errors import AlertsOpen, BadInput, BranchlineError
from branchline.monitoring.alerts import FORMAT, Alert, Monitors, told, untold, update
from branchline.monitoring.webhook import post, webhook_url
from branchline.platforms.find import open_platform
from branchline.text import one_line
from branchline.wheels.destinations import Destination
from branchline.wheels.numbered import Numbered
from branchline.wheels.pyproject import project_name

__all__ = ["alerts_of", "command", "kept_alerts"]


@click.command("alerts", context_settings=options.help_names)
@click.argument("project")
@click.option("--on", "target_name", default="local", show_default=True,
              help="Where the measures are: a name in targets.yml.")
@click.option("--measures", "file", type=click.Path(path_type=Path), metavar="FILE",
              help="Measures as JSON lines; by default those in gold.monitoring_measures.")
@click.option("--production", is_flag=True, help="Production's measures, not a branch's.")
@options.branch
@options.debug
def command(project: str, target_name: str, file: Path | None, production: bool,
            given_branch: str | None, debug: bool) -> None:
    """Evaluate the alerts in PROJECT's monitors.yml, tell what changed, and list what is open.

    \b
    Exit codes: 0 evaluated, 2 bad input, 3 the measures could not be read, 4 an alert is open whose
    policy says exit_code, 5 the webhook or the workspace did not answer, 130 interrupted.
    """
    repository = Repository.current()
    found = repository.project(project)
    monitors = read_monitors(found.folder / "monitors.yml")
    if production and given_branch:
        raise BadInput("--production and --branch: expected only one of them.")
    branch = PRODUCTION if production else current_branch(repository.root, given_branch, os.environ)
    conditions = [rule.condition for rule in monitors.rules]
    measures = measured.of_file(file) if file else measured.of_table(
        repository, target_name, repository.project(monitors.measures), branch, conditions)
    platform = open_platform(repository.target(target_name), repository.root, os.environ)
    kept = kept_alerts(repository, project, branch.slug, platform.wheels)
    number, before = kept.newest, alerts_of(kept)
    now, problems = _tell(update(monitors, measures, before), monitors, project)
    if now != before:
        kept.add(number + 1, {"alerts": [each.as_record() for each in now],
                              "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                              "by": started_by(os.environ)})
    _end([each for each in now if each.status == "open"], problems)


def kept_alerts(repository: Repository, project: str, branch: str,
                destination: Destination) -> Numbered:
    """The records of a branch's alerts; the newest one has those that are open."""
    folder = f"{project_name(repository.root)}/alerts/{project}/{branch}"
    return Numbered(destination, folder, FORMAT)


def alerts_of(kept: Numbered) -> tuple[Alert, ...]:
    """The alerts in the newest record; none before the first one."""
    newest = kept.newest
    content = kept.read(newest) if newest else None
    return tuple(Alert.of_record(each) for each in content["alerts"]) if content else ()


def _tell(alerts: Sequence[Alert], monitors: Monitors,
          project: str) -> tuple[tuple[Alert, ...], list[BranchlineError]]:
    """The alerts with who was told; whoever could not be told is told by the next evaluation."""
    problems: list[BranchlineError] = []
    found = []
    for alert in alerts:
        done = []
        for receiver in untold(alert):
            try:
                _tell_one(receiver, alert, monitors, project)
                done.append(receiver)
            except BranchlineError as problem:
                problems.append(problem)
        found.append(told(alert, done))
    return tuple(found), problems


def _tell_one(receiver: str, alert: Alert, monitors: Monitors, project: str) -> None:
    if receiver == "log":
        print(f"{alert.status:<8} {one_line(f'{alert.rule}: {alert.line}')}", flush=True)
    else:
        post(webhook_url(monitors.webhook, os.environ), _notice(alert, project))


def _notice(alert: Alert, project: str) -> Mapping[str, Any]:
    """What a webhook gets; `text` is what chat tools show."""
    content = {key: value for key, value in alert.as_record().items() if key not in ("told", "to")}
    text = f"{alert.status} {alert.severity}: {project} {alert.rule}: {alert.line}"
    return {"id": alert.id, "project": project, "text": text, **content}


def _end(open_now: Sequence[Alert], problems: Sequence[BranchlineError]) -> None:
    for alert in open_now:
        print(one_line(f"{alert.severity:<8} {alert.rule} since {alert.since}: {alert.line}")
              + f"\n         {one_line(alert.runbook)}")
    print(f"{len(open_now)} open {'alert' if len(open_now) == 1 else 'alerts'}", flush=True)
    fatal = sorted({each.rule for each in open_now if "exit_code" in each.to})
    for problem in problems if fatal else problems[1:]:
        click.echo(f"alerts: {one_line(str(problem))}", err=True)
    if fatal:
        raise AlertsOpen(f"{', '.join(fatal)}: open; see the runbook above.")
    if problems:
        raise problems[0]
